import { type Drift, InteractiveVerifier } from '../interactive';
import { type Command, UsageError } from './command';
import { ProgressSteps } from './progress-steps';

const SUBJECTS = ['interactive'];
/** Drifts that are printed one by one; the rest is only counted. */
const SHOWN = 50;

/** Compares what is derived with what it is derived from. */
export const verify: Command = {
  name: 'verify',
  usage: 'interactive [--repair]',
  summary: 'Compares counters with records, and what is cached with both; exits with 1 on drift',
  async run({ args, app, print, progress }) {
    const [subject, ...flags] = args;
    const repair = flags.includes('--repair');
    if (!SUBJECTS.includes(subject ?? '') || flags.some((flag) => flag !== '--repair'))
      throw new UsageError(`verify takes one of: ${SUBJECTS.join(', ')}`);
    const steps = new ProgressSteps(progress);
    let shown = 0;
    const verifier = (await app()).get(InteractiveVerifier);
    const drifted = await verifier.verify({
      repair,
      onProgress: steps.update,
      onDrift(drift) {
        if (++shown <= SHOWN) print(textOf(drift));
      },
    });
    steps.finish();
    if (shown > SHOWN) print(`… and ${shown - SHOWN} more`);
    print(drifted === 0 ? 'no drift' : `${drifted} drifted${repair ? ', repaired' : ''}`);
    return drifted > 0 && !repair ? 1 : 0;
  },
};

const textOf = ({ biz, bizId, uid, what, found, expected }: Drift): string => {
  const whose = uid === undefined ? what : `${what} of user ${uid}`;
  return `${biz} ${bizId}: ${whose} is ${found}, should be ${expected}`;
};
