import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { lastLines, run, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const OLDEST_NODE_MAJOR = 20;

const bin = join(root, 'node_modules/.bin');

/** The Node that the program itself runs on, pinned by package-lock.json. */
export const node24 = join(bin, 'node');

/** The environment of everything that runs on that Node: the PATH begins with its folder. */
export const withNode24 = (env = process.env) => ({ ...env, PATH: `${bin}:${env.PATH ?? ''}` });

async function requirePinnedNode() {
  const done = existsSync(node24) ? await run(node24, ['--version']) : { output: 'missing' };
  if (!done.output.startsWith('v24.'))
    throw new StackError(
      `The pinned Node 24 of node_modules does not run (${done.output}): allow npm to run install scripts (npm config delete ignore-scripts), delete node_modules and try again.`,
    );
}

/** Installs the packages of package-lock.json, unless exactly these are installed. */
export async function requirePackages(log) {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE_MAJOR)
    throw new StackError(
      `This is Node ${process.versions.node}, but webook's scripts need ${OLDEST_NODE_MAJOR} or newer: install it, e.g. from nodejs.org.`,
    );
  const stamp = join(root, 'node_modules/.installed-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  log('installing packages with npm (about a minute the first time)');
  const start = Date.now();
  const done = await withProgress(log, 'installing', () =>
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], {
      cwd: root,
      // Without this, a package of Swagger UI reports each installation to its vendor.
      env: { ...process.env, SCARF_ANALYTICS: 'false' },
    }),
  );
  if (done.code !== 0)
    throw new StackError(
      `npm ci failed: check the network and npm's settings, then try again.\n${lastLines(done.output, 12)}`,
    );
  await requirePinnedNode();
  writeFileSync(stamp, lock);
  log(`packages installed after ${Math.round((Date.now() - start) / 1_000)} s`);
}
