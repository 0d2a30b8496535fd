import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { databaseOf, portsOf, serviceFolder, socketPath } from './paths.mjs';
import { aptInstall, run, which, withProgress } from './shell.mjs';
import { requireFreePort, ServiceProcess } from './service-process.mjs';
import { StackError } from './stack-error.mjs';

const PACKAGES = ['mariadb-server-core', 'mariadb-client-core'];

export const mysqlProcess = (profile) =>
  new ServiceProcess('mysql', serviceFolder(profile, 'mysql'));

/** Finds the server and its client, or installs them; tells the flavour, which the set-up depends on. */
async function findServer(log) {
  if (!which('mariadbd', 'mysqld') || !which('mariadb', 'mysql'))
    await aptInstall(log, PACKAGES, 'A MySQL or MariaDB server');
  const server = which('mariadbd', 'mysqld');
  const { output } = await run(server, ['--no-defaults', '--version']);
  const [major, minor] = (/(?:Ver|from)\s+(\d+)\.(\d+)/.exec(output) ?? []).slice(1).map(Number);
  const isMariaDb = /mariadb/i.test(output);
  const isNewEnough = isMariaDb ? major > 10 || (major === 10 && minor >= 11) : major >= 8;
  if (!isNewEnough)
    throw new StackError(
      `${server} is too old (${output}): webook needs MariaDB 10.11 or MySQL 8.0, or newer. Install one, or set MYSQL_URL to a server that is.`,
    );
  const name = isMariaDb ? `MariaDB ${/(\d+\.\d+\.\d+)/.exec(output)?.[1]}` : output.trim();
  return { server, client: which('mariadb', 'mysql'), isMariaDb, name };
}

function writeConfiguration(profile, folder, { isMariaDb }) {
  const lines = [
    '[mysqld]',
    `datadir=${join(folder, 'data')}`,
    `port=${portsOf(profile).mysql}`,
    'bind-address=127.0.0.1',
    `socket=${socketPath(profile)}`,
    `pid-file=${join(folder, 'mysqld.pid')}`,
    ...(isMariaDb ? [] : ['mysqlx=OFF']),
    'skip-name-resolve',
    'character-set-server=utf8mb4',
    'max-connections=300',
    // Change capture needs every column of every changed row, before and after.
    'server-id=1',
    'log-bin=mysql-bin',
    'binlog-format=ROW',
    'binlog-row-image=FULL',
    'binlog-expire-logs-seconds=604800',
    // A commit that was answered survives the loss of power.
    'innodb-flush-log-at-trx-commit=1',
    'sync-binlog=1',
    'innodb-buffer-pool-size=256M',
    'innodb-lock-wait-timeout=10',
  ];
  writeFileSync(join(folder, 'my.cnf'), `${lines.join('\n')}\n`);
}

/** Makes the data folder beside and renames it, so that one half made is never taken for whole. */
async function initialize(folder, found, log) {
  const data = join(folder, 'data');
  if (existsSync(data)) return;
  log(`making a data folder with ${found.name}`);
  const making = join(folder, 'data.making');
  rmSync(making, { recursive: true, force: true });
  const user = `--user=${userInfo().username}`;
  const [command, args] = found.isMariaDb
    ? [
        which('mariadb-install-db', 'mysql_install_db'),
        [
          '--no-defaults',
          `--datadir=${making}`,
          user,
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
        ],
      ]
    : [found.server, ['--no-defaults', '--initialize-insecure', `--datadir=${making}`, user]];
  if (!command)
    throw new StackError(
      'mariadb-install-db was not found beside mariadbd: install MariaDB completely (Debian: apt-get install mariadb-server-core).',
    );
  const done = await withProgress(log, 'making it', () => run(command, args));
  if (done.code !== 0)
    throw new StackError(`MySQL could not make its data folder ${making}:\n${done.output}`);
  renameSync(making, data);
}

const sql = (found, profile, text) =>
  run(
    found.client,
    [
      '--no-defaults',
      `--socket=${socketPath(profile)}`,
      '--user=root',
      '--default-character-set=utf8mb4',
      '--batch',
    ],
    { input: text },
  );

/** The program's user may use every database named webook…; Canal's may read and replicate. */
async function grant(found, profile) {
  const replication = found.isMariaDb
    ? 'REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION MASTER ADMIN, BINLOG MONITOR'
    : 'REPLICATION SLAVE, REPLICATION CLIENT';
  const done = await sql(
    found,
    profile,
    `CREATE DATABASE IF NOT EXISTS ${databaseOf(profile)} CHARACTER SET utf8mb4;
     CREATE USER IF NOT EXISTS 'webook'@'%' IDENTIFIED BY 'webook';
     GRANT ALL PRIVILEGES ON \`webook%\`.* TO 'webook'@'%';
     GRANT ${replication} ON *.* TO 'webook'@'%';
     CREATE USER IF NOT EXISTS 'canal'@'%' IDENTIFIED BY 'canal';
     GRANT SELECT, SHOW VIEW, ${replication} ON *.* TO 'canal'@'%';`,
  );
  if (done.code !== 0) throw new StackError(`MySQL refused to make its users:\n${done.output}`);
}

/** Starts the private MySQL, or adopts it when it runs. Gives its URL. */
export async function mysqlUp(profile, log) {
  const folder = serviceFolder(profile, 'mysql');
  const port = portsOf(profile).mysql;
  const url = `mysql://webook:webook@127.0.0.1:${port}/${databaseOf(profile)}`;
  const service = mysqlProcess(profile);
  if (service.pid() === undefined) {
    const start = Date.now();
    const found = await findServer(log);
    await requireFreePort('mysql', port);
    mkdirSync(folder, { recursive: true });
    await initialize(folder, found, log);
    writeConfiguration(profile, folder, found);
    rmSync(socketPath(profile), { force: true });
    const pid = service.start(found.server, [
      `--defaults-file=${join(folder, 'my.cnf')}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ]);
    await service.waitUntil(async () => (await sql(found, profile, 'SELECT 1')).code === 0, 120);
    await grant(found, profile);
    log(
      `up at 127.0.0.1:${port}, socket ${socketPath(profile)} after ${((Date.now() - start) / 1_000).toFixed(1)} s (process ${pid})`,
    );
  }
  return url;
}
