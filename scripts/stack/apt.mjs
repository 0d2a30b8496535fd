import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { lastLines, run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const POLICY = '/usr/sbin/policy-rc.d';

/** Does `work` while Debian's policy file forbids packages to start their services. */
async function withoutServices(work) {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

/** The first of these packages that this Debian release has, or the first name when it has none. */
async function firstAvailable(names) {
  for (const name of names) {
    // Output in English, whatever the user's language.
    const env = { ...process.env, LC_ALL: 'C' };
    const { output } = await run('apt-cache', ['policy', name], { env });
    if (/Candidate: \d/.test(output)) return name;
  }
  return names[0];
}

let listsAreFresh = false;

async function install(log, packages, what) {
  const names = packages.flat();
  const byHand = `install it yourself (Debian: apt-get install ${packages.map((name) => [name].flat()[0]).join(' ')})`;
  if (!which('apt-get')) throw new StackError(`${what} was not found: ${byHand}.`);
  if (process.getuid?.() !== 0)
    throw new StackError(
      `${what} was not found, and only root may install packages: ${byHand}, or set the URL of a running server (MYSQL_URL, REDIS_URL, KAFKA_BROKERS).`,
    );
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = async (step, ...args) => {
    // Another apt may be running, e.g. the machine's nightly upgrade: wait for its lock.
    const all = ['-o', 'DPkg::Lock::Timeout=300', ...args];
    const done = await withProgress(log, step, () => run('apt-get', all, { env }));
    if (done.code !== 0)
      throw new StackError(
        `apt-get failed while ${step}, so ${what} is missing: check the network and apt's sources, or ${byHand}.\n${lastLines(done.output)}`,
      );
  };
  log(`${what} was not found: installing ${names[0]} with apt (only the first time)`);
  if (!listsAreFresh) await apt('reading the package lists', 'update', '-qq');
  listsAreFresh = true;
  const chosen = await Promise.all(packages.map((name) => firstAvailable([name].flat())));
  await withoutServices(() =>
    apt(
      `installing ${chosen.join(' ')}`,
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      ...chosen,
    ),
  );
}

let queue = Promise.resolve();

/**
 * Installs Debian packages. Calls run one after the other, since only one apt can run at a time.
 * @param packages names; a list in place of a name means the first of them that exists
 * @param what the missing program, for messages
 * @throws StackError that says in one sentence why it failed and what to do instead
 */
export function aptInstall(log, packages, what) {
  const turn = queue.then(() => install(log, packages, what));
  queue = turn.catch(() => {});
  return turn;
}
