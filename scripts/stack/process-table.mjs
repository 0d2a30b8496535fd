import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What /proc says about a process: the letter of its state, the leader of its session, and its start
 * time in ticks since boot. Undefined when the process has ended, and on a system without /proc.
 */
export function statOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ');
    return { state: fields[0], session: Number(fields[3]), start: fields[19] };
  } catch {
    return undefined;
  }
}

function hasVariable(pid, assignment) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(assignment);
  } catch {
    // Another user's process, or one that has just ended.
    return false;
  }
}

/**
 * The pid of the process that was started, detached, with this variable, e.g. "NAME=value". Its child
 * processes have the variable too, but lead no session.
 */
export function findDetached(assignment) {
  if (!existsSync('/proc/self')) return undefined;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => statOf(pid)?.session === pid && hasVariable(pid, assignment));
}

/** True when the working directory of the process was deleted. */
export function hasLostItsFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).endsWith(' (deleted)');
  } catch {
    return false;
  }
}

/** Identifies a process by pid and start time: a later process may get the same pid. */
export const identify = (pid) => ({ pid, start: statOf(pid)?.start });

export function isAlive({ pid, start }) {
  const stat = statOf(pid);
  return stat !== undefined && stat.start === start && stat.state !== 'Z';
}
