import { InteractiveVerifier } from '../interactive';
import { type Command, UsageError } from './command';
import { ProgressSteps } from './progress-steps';

/** Makes what is derived anew from what it is derived from, while the program runs. */
export const rebuild: Command = {
  name: 'rebuild',
  usage: 'interactive',
  summary: 'Refills the caches of counts and own marks from the database, online',
  async run({ args, app, print, progress }) {
    if (args.length !== 1 || args[0] !== 'interactive')
      throw new UsageError('rebuild takes: interactive');
    const steps = new ProgressSteps(progress);
    const verifier = (await app()).get(InteractiveVerifier);
    const rebuilt = await verifier.rebuild(steps.update);
    steps.finish();
    print(`${rebuilt} objects rebuilt`);
    return 0;
  },
};
