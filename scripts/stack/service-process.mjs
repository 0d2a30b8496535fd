import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { statOf } from './process-table.mjs';
import { lastLines, sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

/** Signals a process; false when it is gone. */
function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * One private server process: its pid file, its log, and the ways to find, start and stop it.
 * `folder` must be part of its command line, so that a pid which the system has given to another
 * program meanwhile is never taken for ours.
 */
export class ServiceProcess {
  constructor(name, folder) {
    this.name = name;
    this.folder = folder;
    this.pidFile = join(folder, 'pid');
    this.logFile = join(folder, 'log');
  }

  /** The pid of the running process, or undefined; remains of a dead one are cleared away. */
  pid() {
    if (!existsSync(this.pidFile)) return undefined;
    const pid = Number(readFileSync(this.pidFile, 'utf8'));
    if (this.#isOurs(pid)) return pid;
    rmSync(this.pidFile, { force: true });
    return undefined;
  }

  #isOurs(pid) {
    if (!Number.isInteger(pid) || pid <= 1 || !signal(pid, 0)) return false;
    try {
      return statOf(pid)?.state !== 'Z' && this.commandLine(pid).includes(`${this.folder}/`);
    } catch {
      // No /proc (macOS): the pid file is all there is to go by.
      return !existsSync('/proc/self');
    }
  }

  commandLine(pid) {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  }

  /**
   * Starts it unless it runs already, waits until it really answers, and says so.
   * @param launch starts it, by `start`
   * @param isUp asks it; called until it gives true
   * @param address for the message
   */
  async ensure({ launch, isUp, address, seconds = 90, log }) {
    const begin = Date.now();
    const isAdopted = this.pid() !== undefined;
    if (!isAdopted) await launch();
    await this.#waitUntil(isUp, seconds);
    const state = isAdopted ? 'is up' : 'up';
    const after = isAdopted ? '' : ` after ${((Date.now() - begin) / 1_000).toFixed(1)} s`;
    log(`${state} at ${address}${after} (process ${this.pid()})`);
  }

  /** Starts the program detached, its output in a log of its own. Gives its pid. */
  start(command, args) {
    mkdirSync(this.folder, { recursive: true });
    if (existsSync(this.logFile)) renameSync(this.logFile, `${this.logFile}.previous`);
    const log = openSync(this.logFile, 'w');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: this.folder,
    });
    closeSync(log);
    child.once('error', (error) => (this.failure = error.message));
    child.once('exit', (code, name) => (this.failure ??= `it ended with ${name ?? code}`));
    child.unref();
    if (child.pid === undefined)
      throw new StackError(`${this.name} cannot be started: check that ${command} runs.`);
    writeFileSync(this.pidFile, String(child.pid));
    return child.pid;
  }

  async #waitUntil(isUp, seconds) {
    const end = Date.now() + seconds * 1_000;
    while (!(await isUp())) {
      const fault =
        this.failure || this.pid() === undefined
          ? `did not start (${this.failure ?? 'it ended'})`
          : Date.now() > end && `did not answer within ${seconds} s`;
      if (fault)
        throw new StackError(
          `${this.name} ${fault}: mend what the end of its log ${this.logFile} tells, or begin anew with npm run stack -- reset.\n${this.logEnd()}`,
        );
      await sleep(50);
    }
  }

  /** True when what the process has logged since its start matches. */
  logSays(pattern) {
    return existsSync(this.logFile) && pattern.test(readFileSync(this.logFile, 'utf8'));
  }

  logEnd(lines = 12) {
    if (!existsSync(this.logFile)) return '(no log)';
    return lastLines(readFileSync(this.logFile, 'utf8'), lines);
  }

  /** Stops it: SIGTERM, and SIGKILL when it is still there after `seconds`. False when it is down. */
  async stop(seconds = 30) {
    const pid = this.pid();
    if (pid === undefined) return false;
    signal(pid, 'SIGTERM');
    const end = Date.now() + seconds * 1_000;
    while (this.pid() !== undefined) {
      if (Date.now() > end) signal(pid, 'SIGKILL');
      await sleep(50);
    }
    return true;
  }
}
