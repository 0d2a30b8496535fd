import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { isTestProfile, portsOf, root, serviceFolder, socketPath } from './paths.mjs';
import { run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';
import { stagingFolder } from './staging-folder.mjs';

/** Finds the server and its client, or installs them. Also returns whether the server is MariaDB. */
export async function findServer(log) {
  if (!which('mariadbd', 'mysqld') || !which('mariadb', 'mysql'))
    await aptInstall(
      log,
      ['mariadb-server-core', 'mariadb-client-core'],
      'A MySQL or MariaDB server',
    );
  const server = which('mariadbd', 'mysqld');
  const { output } = await run(server, ['--no-defaults', '--version']);
  const version = /(?:Ver|from)\s+(\d+)\.(\d+)\.\d+/.exec(output) ?? [];
  const [major, minor] = version.slice(1).map(Number);
  const isMariaDb = /mariadb/i.test(output);
  const isNewEnough = isMariaDb ? major > 10 || (major === 10 && minor >= 11) : major >= 8;
  if (!isNewEnough)
    throw new StackError(
      `${server} is too old (${output}): install MariaDB 10.11 or MySQL 8.0 or newer, or set MYSQL_URL to a server that is.`,
    );
  return { server, client: which('mariadb', 'mysql'), isMariaDb };
}

/** The servers refuse to run as root without this option. */
export const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

/** Writes the server's complete configuration: it reads no other file of the machine. */
export function writeConfiguration(profile, { isMariaDb }) {
  const folder = serviceFolder(profile, 'mysql');
  const lines = [
    readFileSync(join(root, 'docker/mysql/webook.cnf'), 'utf8'),
    `datadir=${join(folder, 'data')}`,
    `port=${portsOf(profile).mysql}`,
    'bind-address=127.0.0.1',
    `socket=${socketPath(profile)}`,
    `pid-file=${join(folder, 'mysqld.pid')}`,
    ...(isMariaDb ? [] : ['mysqlx=OFF']),
    ...(isTestProfile(profile) ? ['innodb-flush-log-at-trx-commit=2', 'sync-binlog=0'] : []),
  ];
  writeFileSync(join(folder, 'my.cnf'), `${lines.join('\n')}\n`);
}

const APPARMOR =
  ' If it may not write there although the folder is yours, AppArmor allows it /var/lib/mysql only: run, as root, ln -s /etc/apparmor.d/usr.sbin.mysqld /etc/apparmor.d/disable/ && apparmor_parser -R /etc/apparmor.d/usr.sbin.mysqld, or set MYSQL_URL.';

/** Creates the data folder in a staging folder and renames it when it is complete. */
export async function initialize(profile, { server, isMariaDb }, log) {
  const folder = serviceFolder(profile, 'mysql');
  const data = join(folder, 'data');
  if (existsSync(data)) return;
  const staging = await stagingFolder(data);
  // mariadb-install-db cannot handle blanks in a path: it gets a link whose path has none.
  const link = join(mkdtempSync(join(tmpdir(), 'webook-')), 'mysql');
  symlinkSync(folder, link);
  const datadir = `--datadir=${join(link, basename(staging))}`;
  const shared = ['--no-defaults', datadir, ...asRoot()];
  const command = isMariaDb ? which('mariadb-install-db', 'mysql_install_db') : server;
  if (!command)
    throw new StackError(
      'mariadbd was found, but mariadb-install-db was not: install MariaDB completely (Debian: apt-get install mariadb-server-core).',
    );
  const args = isMariaDb
    ? // --force: the machine's host name need not resolve, since this server looks up no names.
      [...shared, '--auth-root-authentication-method=normal', '--skip-test-db', '--force']
    : [...shared, '--initialize-insecure'];
  log('creating the data folder');
  const done = await withProgress(log, 'creating it', () => run(command, args));
  rmSync(dirname(link), { recursive: true });
  if (done.code !== 0)
    throw new StackError(
      `MySQL could not create its data folder ${staging}: correct the fault that it reports below and try again.${isMariaDb ? '' : APPARMOR}\n${done.output}`,
    );
  renameSync(staging, data);
}
