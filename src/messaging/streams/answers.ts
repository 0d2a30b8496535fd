/**
 * The results of a pipeline or transaction.
 * @throws the first error: `exec` resolves even when all of its commands have failed
 */
export function answersOf(answers: readonly [Error | null, unknown][] | null): unknown[] {
  return (answers ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}
