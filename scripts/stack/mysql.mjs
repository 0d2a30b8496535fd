import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asRoot, findServer, initialize, writeConfiguration } from './mysql-server.mjs';
import { databaseOf, mysqlUrlOf, portsOf, root, socketPath } from './paths.mjs';
import { requireFreePort } from './ports.mjs';
import { ServiceProcess } from './service-process.mjs';
import { run, which } from './shell.mjs';
import { StackError } from './stack-error.mjs';

export const mysqlProcess = (profile) => new ServiceProcess('mysql', profile);

/** Runs SQL as root through the socket, which other machines cannot reach. */
function sql(profile, text) {
  const args = ['--no-defaults', `--socket=${socketPath(profile)}`, '--user=root'];
  return run(
    which('mariadb', 'mysql'),
    [...args, '--default-character-set=utf8mb4', '--batch', '--skip-column-names'],
    { input: text },
  );
}

/** On MariaDB, REPLICATION CLIENT does not include the rights that reading a binlog needs. */
const MARIADB_GRANTS = `GRANT REPLICATION MASTER ADMIN, BINLOG MONITOR ON *.* TO 'webook'@'%', 'canal'@'%';`;

async function createUsers(profile, { isMariaDb }) {
  const done = await sql(
    profile,
    `CREATE DATABASE IF NOT EXISTS ${databaseOf(profile)} CHARACTER SET utf8mb4;
     ${readFileSync(join(root, 'docker/mysql/users.sql'), 'utf8')}
     ${isMariaDb ? MARIADB_GRANTS : ''}`,
  );
  if (done.code !== 0)
    throw new StackError(
      `MySQL refused to create its users: delete its data with ${mysqlProcess(profile).resetCommand}, then start again.\n${done.output}`,
    );
}

/** The names of the binlog files that still exist, the oldest first. */
export async function binlogFiles(profile) {
  const { output } = await sql(profile, 'SHOW BINARY LOGS');
  return output.split('\n').map((line) => line.split('\t')[0]);
}

/** Starts the private MySQL, or takes over a running one. Returns its URL. */
export async function mysqlUp(profile, log) {
  const { mysql: port } = portsOf(profile);
  const service = mysqlProcess(profile);
  const { folder } = service;
  const found = await findServer(log);
  await service.ensure({
    log,
    address: `127.0.0.1:${port}`,
    isUp: async () => (await sql(profile, 'SELECT 1')).code === 0,
    // Recovery after a crash may take long.
    timeoutSeconds: 300,
    launch: async () => {
      await requireFreePort('MySQL', port, 'MYSQL_URL');
      mkdirSync(folder, { recursive: true });
      await initialize(profile, found, log);
      writeConfiguration(profile, found);
      rmSync(socketPath(profile), { force: true });
      service.start(found.server, [`--defaults-file=${join(folder, 'my.cnf')}`, ...asRoot()]);
    },
  });
  // Also for a server that ran already: its start may have been interrupted before this step.
  await createUsers(profile, found);
  return mysqlUrlOf(profile);
}
