import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { sleep } from './shell.mjs';
import { StackError } from './stack-error.mjs';

/** True when something listens there. */
export function isPortOpen(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const answer = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.setTimeout(1_000, () => answer(false));
  });
}

/**
 * One private server process: its pid file, its log, and the ways to find, start and stop it.
 * `folder` must be part of its command line or environment, so that a pid that the system has given
 * to another program meanwhile is never taken for ours.
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
    if (this.isOurs(pid)) return pid;
    rmSync(this.pidFile, { force: true });
    return undefined;
  }

  isOurs(pid) {
    if (!Number.isInteger(pid) || pid <= 1) return false;
    try {
      process.kill(pid, 0);
    } catch (error) {
      if (error.code !== 'EPERM') return false;
    }
    try {
      const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()[0];
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return state !== 'Z' && commandLine.includes(this.folder);
    } catch {
      // No /proc (macOS): the pid file is all there is to go by.
      return !existsSync('/proc/self');
    }
  }

  /** Starts the program detached, its output appended to the log. Gives its pid. */
  start(command, args, { env, cwd } = {}) {
    mkdirSync(dirname(this.logFile), { recursive: true });
    const log = openSync(this.logFile, 'a');
    this.logStart = fstatSync(log).size;
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: env ?? process.env,
      cwd: cwd ?? this.folder,
    });
    closeSync(log);
    this.failure = undefined;
    child.once('error', (error) => (this.failure = error.message));
    child.once('exit', (code, signal) => (this.failure ??= `it ended with ${signal ?? code}`));
    child.unref();
    if (child.pid === undefined)
      throw new StackError(`${this.name}: ${command} cannot be started.`);
    writeFileSync(this.pidFile, String(child.pid));
    return child.pid;
  }

  /** Waits until `isUp` gives true; an end of the process or too long a wait is told with the log's end. */
  async waitUntil(isUp, seconds) {
    const end = Date.now() + seconds * 1_000;
    while (!(await isUp())) {
      if (this.failure || !this.pid())
        throw new StackError(
          `${this.name} did not start: ${this.failure ?? 'it ended'}. The end of its log (${this.logFile}):\n${this.logEnd()}`,
        );
      if (Date.now() > end)
        throw new StackError(
          `${this.name} did not answer within ${seconds} s. The end of its log (${this.logFile}):\n${this.logEnd()}`,
        );
      await sleep(50);
    }
  }

  /** True when what the process has logged since its start matches. */
  logSays(pattern) {
    return pattern.test(
      readFileSync(this.logFile)
        .subarray(this.logStart ?? 0)
        .toString('utf8'),
    );
  }

  logEnd(lines = 12) {
    if (!existsSync(this.logFile)) return '(no log)';
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Stops it: SIGTERM, and SIGKILL when it is still there after `seconds`. */
  async stop(seconds = 30) {
    const pid = this.pid();
    if (pid === undefined) return false;
    process.kill(pid, 'SIGTERM');
    const end = Date.now() + seconds * 1_000;
    while (this.pid() !== undefined) {
      if (Date.now() > end) process.kill(pid, 'SIGKILL');
      await sleep(50);
    }
    return true;
  }
}

/** @throws StackError when a foreign program holds the port */
export async function requireFreePort(name, port) {
  if (await isPortOpen(port))
    throw new StackError(
      `${name} needs port ${port} of 127.0.0.1, but another program listens there: stop that program, or choose other ports with --profile NAME, or set the URL of a running ${name} in the environment.`,
    );
}
