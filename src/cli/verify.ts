import { type Drift, VerificationRegistry } from '../platform/verification';
import { type Command, UsageError } from './command';
import { ProgressSteps } from './progress-steps';

/** Drifts that are printed one by one; the rest are only counted. */
const SHOWN = 50;

/** Compares what a context derives with what it is derived from. */
export const verify: Command = {
  name: 'verify',
  usage: '<context> [--repair]',
  summary:
    'Compares counters with records, and caches with both, for a context (interactive); exits with 1 on drift',
  async run({ args, app, print, progress }) {
    const [name, ...flags] = args;
    if (name === undefined || flags.some((flag) => flag !== '--repair'))
      throw new UsageError('verify takes one context, and perhaps --repair');
    const repair = flags.length > 0;
    const registry = (await app()).get(VerificationRegistry);
    const context = registry.find(name);
    if (!context) throw new UsageError(`verify takes one of: ${registry.names.join(', ')}`);
    const steps = new ProgressSteps(progress);
    let shown = 0;
    const drifted = await context.verify({
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

const textOf = ({ subject, value, found, expected }: Drift): string =>
  `${subject}: ${value} is ${found}, should be ${expected}`;
