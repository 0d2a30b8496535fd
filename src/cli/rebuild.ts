import { VerificationRegistry } from '../platform/verification';
import { type Command, UsageError } from './command';
import { ProgressSteps } from './progress-steps';

/** Rebuilds what a context derives, while the program is in use. */
export const rebuild: Command = {
  name: 'rebuild',
  usage: '<context>',
  summary: 'Reloads what a context (interactive) has cached from the database, while it is in use',
  async run({ args, app, print, progress }) {
    const [name, ...rest] = args;
    if (name === undefined || rest.length > 0) throw new UsageError('rebuild takes one context');
    const registry = (await app()).get(VerificationRegistry);
    const context = registry.find(name);
    if (!context) throw new UsageError(`rebuild takes one of: ${registry.names.join(', ')}`);
    const steps = new ProgressSteps(progress);
    const rebuilt = await context.rebuild(steps.update);
    steps.finish();
    print(`${rebuilt} objects rebuilt`);
    return 0;
  },
};
