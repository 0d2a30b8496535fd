import { root, stackRoot } from './paths.mjs';

/** A fault that the user can cure: printed as its one sentence, without a stack. */
export class StackError extends Error {}

/** The sentence for a file that the system refuses to read or write, undefined for other faults. */
function fileFault({ code, path }) {
  if (!path) return undefined;
  if (code === 'ENOSPC') return `The disk is full, so ${path} cannot be written: make room there.`;
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return undefined;
  const folder = path.startsWith(stackRoot) ? stackRoot : root;
  return `This user may not use ${path} (${code}): run this as the user who owns it, or make it yours, e.g. sudo chown -R "$(id -un)" '${folder}'.`;
}

/** Ends the process after a fault: the sentence for one that the user can cure, all of it for ours. */
export function exitWith(error) {
  const isSentence = error instanceof StackError || error.code?.startsWith('ERR_PARSE_ARGS');
  const sentence = isSentence ? error.message : fileFault(error);
  console.error(sentence ? `\n${sentence}` : error);
  process.exit(1);
}
