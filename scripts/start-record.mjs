import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileFolder } from './stack/paths.mjs';
import { identify, isAlive } from './stack/process-table.mjs';
import { sleep } from './stack/shell.mjs';
import { StackError } from './stack/stack-error.mjs';
import { runningServices, withProfileLock } from './stack/stack.mjs';

/** The npm above this script: without it nobody is left who could end the script by Ctrl-C. */
const npm = process.env.npm_lifecycle_event ? identify(process.ppid) : undefined;

/** Milliseconds in which the program of a killed start may end by itself. */
const PATIENCE_MS = 30_000;

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Its start was killed while it wrote.
    return { keep: [] };
  }
}

const isLiving = ({ npm, script }) => script && [script, ...(npm ? [npm] : [])].every(isAlive);

/** Ends the script and the program that a killed start has left. */
async function endLeftovers({ script, program }, log) {
  if (script && isAlive(script)) process.kill(script.pid, 'SIGKILL');
  if (!program || !isAlive(program)) return;
  log(`[start] ending process ${program.pid}, which a killed npm start has left`);
  process.kill(program.pid, 'SIGTERM');
  const end = Date.now() + PATIENCE_MS;
  while (isAlive(program)) {
    if (Date.now() > end) process.kill(program.pid, 'SIGKILL');
    await sleep(50);
  }
}

/**
 * Records an npm start in its profile's folder, from its beginning to its end, so that the next one
 * knows what a killed one has left: it ends its program here, and takes over its services.
 * @returns `keep`: the services that are to stay up, since no start has started them;
 *   `setProgram(pid)` notes what the start runs; `remove()` at its end
 * @throws StackError when a start with this profile and port runs already
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
      if (!isLiving(found)) {
        await endLeftovers(found, log);
        keep = keep.filter((service) => found.keep.includes(service));
        rmSync(path, { force: true });
      } else if (path === own) {
        throw new StackError(
          `npm start runs already (process ${found.script.pid}) and serves http://127.0.0.1:${port}: stop it first, or start another one beside it with a port and profile of its own, e.g. PORT=3001 npm start -- --profile second.`,
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
