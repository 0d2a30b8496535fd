// npm run stack -- up|down|status|logs [service]|reset [service]|env [--full] [--flat] [--profile NAME]
import { parseArgs } from 'node:util';
import { down, requireProfile, reset, runningEnvironment, services, up } from './stack/stack.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const USAGE = `npm run stack -- COMMAND [--profile NAME]
  up [--full] [--flat]  start MySQL and Redis; with --full also Kafka and Canal (--flat: JSON messages)
  down                  stop them
  status                show which services run
  logs [SERVICE]        show the end of each log, or of one: logs mysql
  reset [SERVICE]       stop them and delete their data, or only those of one: reset redis
                        (reset mysql deletes all: the data of the others belongs to its database)
  env                   print the addresses of the running services, as export lines`;

function requireService(profile, name) {
  const names = services(profile).map((service) => service.name);
  if (name && !names.includes(name))
    throw new StackError(`There is no service ${name}: name one of ${names.reverse().join(', ')}.`);
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
