import { Migrator } from '../platform/database';
import { type Command, UsageError } from './command';

/** As every instance does at boot, for deployments that migrate in a separate step. */
export const migrate: Command = {
  name: 'migrate',
  usage: '[--down <steps>]',
  summary: 'Applies the missing database migrations, or reverts the last ones',
  async run({ args, environment, print }) {
    const migrator = new Migrator(environment.MYSQL_URL);
    const { names } = args.length === 0 ? await migrator.up() : await migrator.down(steps(args));
    for (const name of names) print(name);
    if (names.length === 0) print('Nothing to do');
    return 0;
  },
};

function steps(args: readonly string[]): number {
  const [flag, count, ...rest] = args;
  if (flag !== '--down' || count === undefined || !/^[1-9]\d{0,3}$/.test(count) || rest.length > 0)
    throw new UsageError('migrate takes no argument, or --down and a number of migrations');
  return Number(count);
}
