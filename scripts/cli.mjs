// npm run cli -- COMMAND: the program's own commands, on the running private stack or the URLs given.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { requireBuild } from './build.mjs';
import { mysqlProcess } from './stack/mysql.mjs';
import { node24, withNode24 } from './stack/packages.mjs';
import { databaseOf, portsOf, root } from './stack/paths.mjs';
import { kafkaProcess } from './stack/kafka.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const profile = 'dev';

function environment() {
  const ports = portsOf(profile);
  const env = { ...process.env };
  if (!env.MYSQL_URL || !env.REDIS_URL) {
    if (mysqlProcess(profile).pid() === undefined)
      throw new StackError(
        'The private stack is down: start it with npm start (or npm run stack -- up), or set MYSQL_URL and REDIS_URL.',
      );
    env.MYSQL_URL ||= `mysql://webook:webook@127.0.0.1:${ports.mysql}/${databaseOf(profile)}`;
    env.REDIS_URL ||= `redis://127.0.0.1:${ports.redis}`;
  }
  if (!env.KAFKA_BROKERS && kafkaProcess(profile).pid() !== undefined) {
    env.KAFKA_BROKERS = `127.0.0.1:${ports.kafka}`;
    env.MQ_ENGINE ||= 'kafka';
    env.CDC_ENGINE ||= 'canal';
  }
  return env;
}

async function main() {
  await requireBuild(console.error);
  const child = spawn(
    node24,
    [
      '--enable-source-maps',
      '--disable-warning=TimeoutNegativeWarning',
      join(root, 'dist/src/cli.js'),
      ...process.argv.slice(2),
    ],
    { cwd: root, env: withNode24(environment()), stdio: 'inherit' },
  );
  const [code] = await once(child, 'exit');
  process.exit(code ?? 1);
}

main().catch(exitWith);
