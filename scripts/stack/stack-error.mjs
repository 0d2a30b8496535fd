/** A fault that the user can cure: printed as its one sentence, without a stack. */
export class StackError extends Error {}

/** Ends the process after a fault: the sentence for a StackError, all of it for a fault of ours. */
export function exitWith(error) {
  const isSentence = error instanceof StackError || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isSentence ? `\n${error.message}` : error);
  process.exit(1);
}
