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
import { serviceFolder } from './paths.mjs';
import { findDetached, hasLostItsFolder, statOf } from './process-table.mjs';
import { lastLines, sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists, but belongs to another user.
    return error.code === 'EPERM';
  }
}

/** The environment variable that identifies a process whose pid file is lost. */
const MARK = 'WEBOOK_SERVICE';

/**
 * One private server process: its pid file, its log, and the ways to find, start and stop it.
 * Its folder must be part of its command line: the system may have given the pid to another program
 * meanwhile, which is then recognised as not ours.
 */
export class ServiceProcess {
  constructor(name, profile) {
    this.name = name;
    this.folder = serviceFolder(profile, name);
    this.pidFile = join(this.folder, 'pid');
    this.logFile = join(this.folder, 'log');
    /** The command that deletes damaged data, for messages. */
    this.resetCommand = `npm run stack -- reset ${name}${profile === 'dev' ? '' : ` --profile ${profile}`}`;
  }

  /** The pid of the running process, or undefined; then a stale pid file is deleted. */
  pid() {
    const noted = existsSync(this.pidFile) ? Number(readFileSync(this.pidFile, 'utf8')) : undefined;
    if (this.#isOurs(noted)) return noted;
    const found = findDetached(`${MARK}=${this.folder}`);
    if (found === undefined) rmSync(this.pidFile, { force: true });
    else if (existsSync(this.folder)) writeFileSync(this.pidFile, String(found));
    return found;
  }

  #isOurs(pid) {
    if (!Number.isInteger(pid) || pid <= 1 || !exists(pid)) return false;
    try {
      return statOf(pid)?.state !== 'Z' && this.commandLine(pid).includes(`${this.folder}/`);
    } catch {
      // Without /proc (macOS), the pid file alone decides.
      return !existsSync('/proc/self');
    }
  }

  commandLine(pid) {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  }

  /**
   * Starts the process unless it runs already, waits until it answers, and logs its address.
   * @param launch starts it, by `start`
   * @param isUp whether it answers; called until it returns true
   * @param address for the message
   */
  async ensure({ launch, isUp, address, timeoutSeconds = 90, log }) {
    const begin = Date.now();
    const running = this.pid();
    const isTakenOver = running !== undefined && !hasLostItsFolder(running);
    if (running !== undefined && !isTakenOver) {
      log(`stopping process ${running}, whose folder was deleted`);
      await this.stop();
    }
    if (!isTakenOver) await launch();
    await this.#waitUntil(isUp, timeoutSeconds);
    const state = isTakenOver ? 'already up' : 'up';
    const after = isTakenOver ? '' : ` after ${((Date.now() - begin) / 1_000).toFixed(1)} s`;
    log(`${state} at ${address}${after} (process ${this.pid()})`);
  }

  /** Starts the program detached; its output goes to its log file. Returns its pid. */
  start(command, args) {
    mkdirSync(this.folder, { recursive: true });
    if (existsSync(this.logFile)) renameSync(this.logFile, `${this.logFile}.previous`);
    const log = openSync(this.logFile, 'w');
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: this.folder,
      env: { ...process.env, [MARK]: this.folder },
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

  async #waitUntil(isUp, timeoutSeconds) {
    const end = Date.now() + timeoutSeconds * 1_000;
    while (!(await isUp())) {
      const fault =
        this.failure || this.pid() === undefined
          ? `did not start (${this.failure ?? 'it ended'})`
          : Date.now() > end && `did not answer within ${timeoutSeconds} s`;
      if (fault)
        throw new StackError(
          `${this.name} ${fault}: correct the fault that its log ${this.logFile} shows (its end is below), or delete its data with ${this.resetCommand}.\n${this.logEnd()}`,
        );
      await sleep(50);
    }
  }

  /** True when the process has logged something since its start that matches `pattern`. */
  logSays(pattern) {
    return existsSync(this.logFile) && pattern.test(readFileSync(this.logFile, 'utf8'));
  }

  logEnd(lines = 12) {
    if (!existsSync(this.logFile)) return '(no log)';
    return lastLines(readFileSync(this.logFile, 'utf8'), lines);
  }

  #end(pid, signal) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error.code === 'EPERM')
        throw new StackError(
          `${this.name} (process ${pid}) belongs to another user: stop it as that user, or as root.`,
        );
      // ESRCH: it has ended already.
      if (error.code !== 'ESRCH') throw error;
    }
  }

  /** Sends SIGTERM, and SIGKILL when it still runs after that time. Returns false when it is down. */
  async stop(timeoutSeconds = 30) {
    const pid = this.pid();
    if (pid === undefined) return false;
    this.#end(pid, 'SIGTERM');
    const end = Date.now() + timeoutSeconds * 1_000;
    while (this.pid() !== undefined) {
      if (Date.now() > end) this.#end(pid, 'SIGKILL');
      await sleep(50);
    }
    return true;
  }
}
