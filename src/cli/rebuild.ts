import { InteractiveVerifier } from '../interactive';
import { type Command, UsageError } from './command';

/** Makes what is derived anew from what it is derived from, while the program runs. */
export const rebuild: Command = {
  name: 'rebuild',
  usage: 'interactive',
  summary: 'Refills the counts cache from the database, online',
  async run({ args, app, print, progress }) {
    if (args.length !== 1 || args[0] !== 'interactive')
      throw new UsageError('rebuild takes: interactive');
    const line = progress('objects');
    const verifier = (await app()).get(InteractiveVerifier);
    const rebuilt = await verifier.rebuild((done, total) => line.update(done, total));
    line.finish(rebuilt);
    print(`${rebuilt} objects rebuilt`);
    return 0;
  },
};
