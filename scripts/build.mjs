import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirePackages, withNode24 } from './stack/packages.mjs';
import { root } from './stack/paths.mjs';
import { run } from './stack/shell.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const SOURCES = ['src', 'migrations'];
const SETTINGS = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];

/** A hash over every file that the build reads. */
function hashOfSources() {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  for (const file of [...files, ...SETTINGS.map((name) => join(root, name))].sort())
    hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** Installs the packages and builds dist/, unless both already match the sources. */
export async function requireBuild(log) {
  await requirePackages(log);
  const dist = join(root, 'dist');
  const stamp = join(dist, '.built-from');
  const sources = hashOfSources();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  accessSync(existsSync(dist) ? dist : root, constants.W_OK);
  log('building dist/');
  const nest = join(root, 'node_modules/.bin/nest');
  const done = await run(nest, ['build'], { cwd: root, env: withNode24() });
  if (done.code !== 0) throw new StackError(`The build failed:\n${done.output}`);
  writeFileSync(stamp, sources);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) requireBuild(console.log).catch(exitWith);
