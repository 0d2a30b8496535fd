import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { dist } from './dist';

const { PATH, HOME, LANG } = process.env;

/** A command that takes longer hangs. */
const TIMEOUT_MS = 150_000;

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the program's own commands to its end. */
export function cli(env: object, ...args: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(dist, 'src/cli.js'), ...args],
      {
        env: { PATH, HOME, LANG, NODE_ENV: 'test', NO_COLOR: '1', ...env },
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}
