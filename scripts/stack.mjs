// npm run stack -- up|down|status|logs [service]|reset [service]|env [--full] [--flat] [--profile NAME]
import { parseArgs } from 'node:util';
import { down, requireProfile, reset, runningEnvironment, services, up } from './stack/stack.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const USAGE = `npm run stack -- COMMAND [--profile NAME]
  up [--full] [--flat]  start MySQL and Redis; with --full also Kafka and Canal (--flat: JSON messages)
  down                  stop them
  status                what runs
  logs [SERVICE]        the end of each log, or of the one that is named: logs mysql
  reset [SERVICE]       stop them and delete their data, or only one's: reset redis
                        (reset mysql deletes all: the others tell of its database)
  env                   the variables that point at what runs, as export lines`;

function requireService(profile, name) {
  const names = services(profile).map((service) => service.name);
  if (name && !names.includes(name))
    throw new StackError(`No service is called ${name}; there are: ${names.reverse().join(', ')}.`);
}

function printEnvironment(variables) {
  for (const [key, value] of Object.entries(variables)) console.log(`export ${key}='${value}'`);
}

function printStatus(profile) {
  for (const service of services(profile).reverse()) {
    const pid = service.pid();
    console.log(`${service.name.padEnd(6)} ${pid === undefined ? 'down' : `up (process ${pid})`}`);
  }
}

function printLogs(profile, name) {
  const all = services(profile).reverse();
  for (const service of all.filter((each) => !name || each.name === name))
    console.log(`== ${service.name}: ${service.logFile}\n${service.logEnd(30)}\n`);
}

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
  requireService(profile, name);
  switch (command) {
    case 'up':
      return printEnvironment(await up({ profile, full: values.full, flat: values.flat }));
    case 'down':
      return down({ profile });
    case 'status':
      return printStatus(profile);
    case 'logs':
      return printLogs(profile, name);
    case 'reset':
      return reset({ profile, name });
    case 'env':
      return printEnvironment(runningEnvironment(profile));
    default:
      throw new StackError(USAGE);
  }
}

main().catch(exitWith);
