// npm run stack -- up|down|status|logs [service]|reset|env [--full] [--flat] [--profile NAME]
import { parseArgs } from 'node:util';
import { down, requireProfile, reset, services, up } from './stack/stack.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const USAGE = `npm run stack -- COMMAND [--full] [--flat] [--profile NAME]
  up      start MySQL and Redis; with --full also Kafka and Canal (--flat: JSON messages)
  down    stop them
  status  what runs
  logs    the end of each log, or of the one that is named: logs mysql
  reset   stop them and delete their data
  env     the variables that point at them, as export lines`;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      flat: { type: 'boolean', default: false },
      profile: { type: 'string', default: 'dev' },
    },
  });
  const profile = requireProfile(values.profile);
  const [command, name] = positionals;
  switch (command) {
    case 'up':
    case 'env': {
      const log = command === 'env' ? console.error : console.log;
      const variables = await up({ profile, full: values.full, flat: values.flat, log });
      for (const [key, value] of Object.entries(variables)) console.log(`export ${key}='${value}'`);
      return;
    }
    case 'down':
      return down({ profile });
    case 'status':
      for (const service of services(profile).reverse()) {
        const pid = service.pid();
        console.log(
          `${service.name.padEnd(6)} ${pid === undefined ? 'down' : `up (process ${pid})`}`,
        );
      }
      return;
    case 'logs':
      for (const service of services(profile).reverse())
        if (!name || name === service.name)
          console.log(`== ${service.name}: ${service.logFile}\n${service.logEnd(30)}\n`);
      return;
    case 'reset':
      return reset({ profile });
    default:
      throw new StackError(USAGE);
  }
}

main().catch(exitWith);
