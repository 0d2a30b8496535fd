import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sleep } from './shell.mjs';

/**
 * Deletes a folder. While a child process of a killed attempt still writes to it, this fails: tries
 * again, up to 100 times.
 */
async function deleteFolder(path) {
  for (let tries = 1; ; tries++)
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' || tries === 100) throw error;
      await sleep(50);
    }
}

/**
 * The path next to `folder` in which its content is created; the caller renames it when it is
 * complete. Deletes what interrupted attempts have left. Each process uses another name, since a child
 * process of an earlier attempt may still be writing.
 */
export async function stagingFolder(folder) {
  const parent = dirname(folder);
  const prefix = `${basename(folder)}.staging-`;
  const names = existsSync(parent) ? readdirSync(parent) : [];
  for (const name of names) if (name.startsWith(prefix)) await deleteFolder(join(parent, name));
  return join(parent, `${prefix}${process.pid}`);
}
