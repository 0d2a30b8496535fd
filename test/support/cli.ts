import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { dist } from './dist';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `npm run cli -- <args>` as it is built, with nothing but `env` around it. */
export function runCli(args: string[], env: object): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(dist, 'src/cli.js'), ...args],
      { env: { PATH: process.env.PATH, NODE_ENV: 'test', NO_COLOR: '1', ...env } },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
  });
}
