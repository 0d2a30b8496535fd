import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { makingFolder } from './making-folder.mjs';
import { JARS_LOCK_PORT, jarsFolder } from './paths.mjs';
import { withPortLock } from './port-lock.mjs';
import { lastLines, run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const MANIFEST = 'manifest.json';

/** Each jar of a folder with its size in bytes. */
const sizesIn = (folder) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.jar'))
      .map((name) => [name, statSync(join(folder, name)).size]),
  );

/** True when the folder holds just what this pom once brought, every jar at its full size. */
function isWhole(folder, pom) {
  const manifest = join(folder, MANIFEST);
  if (!existsSync(manifest)) return false;
  return readFileSync(manifest, 'utf8') === JSON.stringify({ pom, jars: sizesIn(folder) });
}

async function download(log, service, pomFile, folder) {
  if (!which('mvn')) await aptInstall(log, ['maven'], 'Maven');
  log('downloading about 45 MB of jars with Maven, only this once');
  const args = ['-B', '-q', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  const maven = () =>
    withProgress(log, 'downloading', () =>
      run(which('mvn'), [...args, `-DoutputDirectory=${folder}`, '-f', pomFile]),
    );
  let done = await maven();
  if (done.code !== 0) {
    log('the download failed, trying once more');
    done = await maven();
  }
  if (done.code !== 0)
    throw new StackError(
      `Maven could not download the jars of ${service}: check the network and Maven's settings, then try again.\n${lastLines(done.output)}`,
    );
}

/**
 * Fetches a pom's runtime jars with Maven, once for all profiles: into a folder beside that is
 * renamed when complete, so that a broken download is never taken for whole. A changed pom or a
 * missing jar fetches anew.
 */
export async function fetchJars(log, service, pomFile) {
  const folder = jarsFolder(service);
  const pom = readFileSync(pomFile, 'utf8');
  if (isWhole(folder, pom)) return folder;
  return withPortLock(JARS_LOCK_PORT, 'the jars', log, async () => {
    if (isWhole(folder, pom)) return folder;
    const making = await makingFolder(folder);
    await download(log, service, pomFile, making);
    writeFileSync(join(making, MANIFEST), JSON.stringify({ pom, jars: sizesIn(making) }));
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
    return folder;
  });
}
