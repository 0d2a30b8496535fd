import { root, stackRoot } from './paths.mjs';

/** A fault that the user can correct: printed as one sentence, without a stack trace. */
export class StackError extends Error {}

/** The sentence for a file that the system refuses to read or write, undefined for other faults. */
function fileFault({ code, path }) {
  if (!path) return undefined;
  if (code === 'ENOSPC')
    return `The disk is full, so ${path} cannot be written: free some space there.`;
  if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) return undefined;
  const folder = path.startsWith(stackRoot) ? stackRoot : root;
  return `This user may not use ${path} (${code}): run this as the user who owns it, or become its owner, e.g. sudo chown -R "$(id -un)" '${folder}'.`;
}

/** Ends the process after a fault. Prints one sentence if the user can correct it, else the error. */
export function exitWith(error) {
  const isSentence = error instanceof StackError || error.code?.startsWith('ERR_PARSE_ARGS');
  const sentence = isSentence ? error.message : fileFault(error);
  console.error(sentence ? `\n${sentence}` : error);
  process.exit(1);
}
