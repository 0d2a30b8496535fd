import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The path beside `folder` in which it is made, to be renamed when complete. Drops what broken
 * attempts have left; the name is new each time, since a child of one may be writing still.
 */
export function makingFolder(folder) {
  const parent = dirname(folder);
  const prefix = `${basename(folder)}.making-`;
  const names = existsSync(parent) ? readdirSync(parent) : [];
  for (const name of names)
    if (name.startsWith(prefix)) rmSync(join(parent, name), { recursive: true, force: true });
  return join(parent, `${prefix}${process.pid}`);
}
