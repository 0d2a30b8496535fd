import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jarsFolder } from './paths.mjs';
import { aptInstall, run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

/** Finds Java 17 or newer, or installs it. Gives the path of `java`. */
export async function findJava(log) {
  if (!which('java')) {
    // The headless package links manual pages into a folder that slim images lack.
    if (process.getuid?.() === 0) mkdirSync('/usr/share/man/man1', { recursive: true });
    await aptInstall(log, ['openjdk-17-jre-headless'], 'Java');
  }
  const java = which('java');
  const { output } = await run(java, ['-version']);
  const major = Number(/version "(\d+)/.exec(output)?.[1]);
  if (!(major >= 17))
    throw new StackError(
      `${java} is too old (${output.split('\n')[0]}): Kafka and Canal need Java 17 or newer. Install it and put it first on the PATH.`,
    );
  return java;
}

/**
 * Fetches a pom's runtime jars with Maven, once: into a folder beside that is renamed when complete,
 * so that a broken download is never taken for whole. A changed pom fetches anew.
 */
export async function fetchJars(log, service, pom, size) {
  const folder = jarsFolder(service);
  const stamp = join(folder, 'pom.xml');
  const wanted = readFileSync(pom, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  if (!which('mvn')) await aptInstall(log, ['maven'], 'Maven');
  log(`downloading the jars of ${service} with Maven, ${size}, only this once`);
  const making = `${folder}.making-${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  const fetch = () =>
    withProgress(log, 'downloading', () =>
      run(which('mvn'), [
        '-B',
        '-q',
        'dependency:copy-dependencies',
        `-DoutputDirectory=${making}`,
        '-DincludeScope=runtime',
        '-f',
        pom,
      ]),
    );
  let done = await fetch();
  if (done.code !== 0) {
    log('the download failed, trying once more');
    done = await fetch();
  }
  if (done.code !== 0)
    throw new StackError(
      `Maven could not download the jars of ${service}: check the network and Maven's settings, then try again.\n${done.output.split('\n').slice(-8).join('\n')}`,
    );
  writeFileSync(join(making, 'pom.xml'), wanted);
  rmSync(folder, { recursive: true, force: true });
  renameSync(making, folder);
  return folder;
}
