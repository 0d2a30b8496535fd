import { mkdirSync } from 'node:fs';
import { aptInstall } from './apt.mjs';
import { run, which } from './shell.mjs';
import { StackError } from './stack-error.mjs';

/** Debian 12 has 17, Debian 13 has 21. */
const PACKAGES = ['openjdk-17-jre-headless', 'openjdk-21-jre-headless', 'openjdk-25-jre-headless'];

/** Finds Java 17 or newer, or installs it. Returns the path of `java`. */
export async function findJava(log) {
  if (!which('java')) {
    // The headless package puts links to manual pages into a folder that slim images do not have.
    if (process.getuid?.() === 0) mkdirSync('/usr/share/man/man1', { recursive: true });
    await aptInstall(log, [PACKAGES], 'Java');
  }
  const java = which('java');
  const { output } = await run(java, ['-version']);
  const major = Number(/version "(\d+)/.exec(output)?.[1]);
  if (!(major >= 17))
    throw new StackError(
      `${java} is too old (${output.split('\n')[0]}): install Java 17 or newer and put it first on the PATH.`,
    );
  return java;
}
