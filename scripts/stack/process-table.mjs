import { readFileSync } from 'node:fs';

/**
 * What /proc tells of a process: its state's letter, and when it started, in ticks since the boot.
 * Undefined when it is gone, and on a system without /proc.
 */
export function statOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ');
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}

/** A process by its pid and its start, so that a later one with the same pid is not taken for it. */
export const identify = (pid) => ({ pid, start: statOf(pid)?.start });

export function isAlive({ pid, start }) {
  const stat = statOf(pid);
  return stat !== undefined && stat.start === start && stat.state !== 'Z';
}
