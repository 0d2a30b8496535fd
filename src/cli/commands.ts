import type { Command } from './command';
import { deadLetters } from './dead-letters';
import { forget } from './forget';
import { migrate } from './migrate';
import { rebuild } from './rebuild';
import { rewind } from './rewind';
import { seedDemo } from './seed-demo';
import { verify } from './verify';

/** All commands of the CLI, in the order of the help. */
export const commands: readonly Command[] = [
  migrate,
  verify,
  rebuild,
  deadLetters,
  rewind,
  forget,
  seedDemo,
];
