import type { Command } from './command';
import { migrate } from './migrate';

/** Every command of the CLI, in the order of its help. */
export const commands: readonly Command[] = [migrate];
