import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { run, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const OLDEST_NODE = 20;

/** The Node that the program itself runs on, pinned by package-lock.json. */
export const node24 = join(root, 'node_modules/.bin/node');

/** The environment of everything that runs on that Node: its folder comes first on the PATH. */
export const withNode24 = (env = process.env) => ({
  ...env,
  PATH: `${join(root, 'node_modules/.bin')}:${env.PATH ?? ''}`,
});

/** Installs the packages of package-lock.json unless these very ones are installed. */
export async function requirePackages(log) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE)
    throw new StackError(
      `This is Node ${process.versions.node}, but webook's scripts need ${OLDEST_NODE} or newer: install it, e.g. from nodejs.org.`,
    );
  const stamp = join(root, 'node_modules/.installed-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  log('installing packages with npm, about a minute the first time');
  const start = Date.now();
  const done = await withProgress(log, 'installing', () =>
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], { cwd: root }),
  );
  if (done.code !== 0 || !existsSync(node24))
    throw new StackError(
      `npm ci failed: check the network and npm's settings, then try again.\n${done.output.split('\n').slice(-12).join('\n')}`,
    );
  writeFileSync(stamp, lock);
  log(`packages installed after ${Math.round((Date.now() - start) / 1_000)} s`);
}
