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
import { JARS_LOCK_PORT, jarsFolder } from './paths.mjs';
import { withPortLock } from './port-lock.mjs';
import { lastLines, run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';
import { stagingFolder } from './staging-folder.mjs';

const MANIFEST = 'manifest.json';

/** Each jar of a folder with its size in bytes. */
const sizesIn = (folder) =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.jar'))
      .map((name) => [name, statSync(join(folder, name)).size]),
  );

/** True when the folder holds exactly the jars of this pom, each with its full size. */
function isComplete(folder, pom) {
  const manifest = join(folder, MANIFEST);
  if (!existsSync(manifest)) return false;
  return readFileSync(manifest, 'utf8') === JSON.stringify({ pom, jars: sizesIn(folder) });
}

async function download(log, service, pomFile, folder) {
  if (!which('mvn')) await aptInstall(log, ['maven'], 'Maven');
  log('downloading about 45 MB of jars with Maven (only the first time)');
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
 * Downloads a pom's runtime jars with Maven, once for all profiles. They go into a staging folder that
 * is renamed when it is complete, so that an incomplete download is never used. When the pom has
 * changed or a jar is missing, they are downloaded again.
 */
export async function fetchJars(log, service, pomFile) {
  const folder = jarsFolder(service);
  const pom = readFileSync(pomFile, 'utf8');
  if (isComplete(folder, pom)) return folder;
  return withPortLock(JARS_LOCK_PORT, 'the jars', log, async () => {
    if (isComplete(folder, pom)) return folder;
    const staging = await stagingFolder(folder);
    await download(log, service, pomFile, staging);
    writeFileSync(join(staging, MANIFEST), JSON.stringify({ pom, jars: sizesIn(staging) }));
    rmSync(folder, { recursive: true, force: true });
    renameSync(staging, folder);
    return folder;
  });
}
