import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What /proc tells of a process: its state's letter, the leader of its session, and when it started,
 * in ticks since the boot. Undefined when it is gone, and on a system without /proc.
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
 * The pid of the process that was started, detached, with this variable, e.g. "NAME=value". Its forks
 * have the variable too, but lead no session.
 */
export function findDetached(assignment) {
  if (!existsSync('/proc/self')) return undefined;
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => statOf(pid)?.session === pid && hasVariable(pid, assignment));
}

/** True when the folder in which the process works was deleted. */
export function hasLostItsFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).endsWith(' (deleted)');
  } catch {
    return false;
  }
}

/** A process by its pid and its start, so that a later one with the same pid is not taken for it. */
export const identify = (pid) => ({ pid, start: statOf(pid)?.start });

export function isAlive({ pid, start }) {
  const stat = statOf(pid);
  return stat !== undefined && stat.start === start && stat.state !== 'Z';
}
