import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileFolder } from './stack/paths.mjs';
import { identify, isAlive } from './stack/process-table.mjs';
import { sleep } from './stack/shell.mjs';
import { StackError } from './stack/stack-error.mjs';
import { runningServices, withProfileLock } from './stack/stack.mjs';

/** The npm process that runs this script. When it is gone, Ctrl-C no longer reaches the script. */
const npm = process.env.npm_lifecycle_event ? identify(process.ppid) : undefined;

/** Time for the program of a killed npm start to end by itself; then it is killed. */
const SHUTDOWN_TIMEOUT_MS = 30_000;

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // The npm start was killed while it wrote the file.
    return { keep: [] };
  }
}

const isRunning = ({ npm, script }) => script && [script, ...(npm ? [npm] : [])].every(isAlive);

/** Stops the script and the program that a killed npm start left running. */
async function endLeftovers({ script, program }, log) {
  if (script && isAlive(script)) process.kill(script.pid, 'SIGKILL');
  if (!program || !isAlive(program)) return;
  log(`[start] stopping process ${program.pid}, left running by a killed npm start`);
  process.kill(program.pid, 'SIGTERM');
  const end = Date.now() + SHUTDOWN_TIMEOUT_MS;
  while (isAlive(program)) {
    if (Date.now() > end) process.kill(program.pid, 'SIGKILL');
    await sleep(50);
  }
}

/**
 * Records an npm start in its profile's folder for as long as it runs. When it is killed, the record
 * stays: the next npm start then stops its program here, and takes over its services.
 * @returns `keep`: the services that stay up at the end, since no npm start has started them;
 *   `setProgram(pid)` records the program that runs; `remove()` deletes the record at the end
 * @throws StackError when an npm start with this profile and port is already running
 */
export function recordStart(profile, port, log) {
  return withProfileLock(profile, log, async () => {
    const folder = profileFolder(profile);
    mkdirSync(folder, { recursive: true });
    const own = join(folder, `start-${port}.json`);
    let keep = runningServices(profile);
    for (const name of readdirSync(folder).filter((file) => /^start-\d+\.json$/.test(file))) {
      const path = join(folder, name);
      const found = read(path);
      if (!isRunning(found)) {
        await endLeftovers(found, log);
        keep = keep.filter((service) => found.keep.includes(service));
        rmSync(path, { force: true });
      } else if (path === own) {
        throw new StackError(
          `npm start is already running (process ${found.script.pid}) and serves http://127.0.0.1:${port}: stop it first, or start a second one with another port and profile, e.g. PORT=3001 npm start -- --profile second.`,
        );
      }
    }
    const content = { npm, script: identify(process.pid), keep };
    const write = () => writeFileSync(own, JSON.stringify(content));
    write();
    return {
      keep,
      setProgram: (pid) => {
        content.program = identify(pid);
        write();
      },
      remove: () => rmSync(own, { force: true }),
    };
  });
}
