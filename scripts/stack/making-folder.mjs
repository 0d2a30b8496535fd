import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sleep } from './shell.mjs';

/** Deletes a folder, also when a child of a killed attempt still writes to it, until that ends. */
async function drop(path) {
  for (let tries = 1; ; tries++)
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' || tries === 100) throw error;
      await sleep(50);
    }
}

/**
 * The path beside `folder` in which it is made, to be renamed when complete. Drops what broken
 * attempts have left; the name is new each time, since a child of one may be writing still.
 */
export async function makingFolder(folder) {
  const parent = dirname(folder);
  const prefix = `${basename(folder)}.making-`;
  const names = existsSync(parent) ? readdirSync(parent) : [];
  for (const name of names) if (name.startsWith(prefix)) await drop(join(parent, name));
  return join(parent, `${prefix}${process.pid}`);
}
