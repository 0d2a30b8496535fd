/** What became of one operation of a group. */
export type Settled<Outcome> = { readonly value: Outcome } | { readonly error: unknown };

/**
 * Why a group failed: for one of its operations' sake, since others hold what one of them needs, or
 * for a reason that concerns it as a whole.
 */
export type Cause = 'operation' | 'lock' | 'group';

export interface GroupCommitOptions<Operation, Outcome> {
  /** Carries out a whole group, atomically. Its outcomes are in the order of the operations. */
  commit(operations: readonly Operation[]): Promise<readonly Settled<Outcome>[]>;
  causeOf(error: unknown): Cause;
  /** Operations of an equal key share groups. */
  keyOf(operation: Operation): string;
  /** Operations of an equal order, which have an equal key too, are carried out as they came. */
  orderOf(operation: Operation): string;
  /** Names of all that an operation locks. */
  needsOf(operation: Operation): readonly string[];
  /** Which of what the operations need is held by others at the moment; it waits for none of it. */
  heldOf(operations: readonly Operation[]): Promise<ReadonlySet<string>>;
  lanes: number;
  /** The most operations a group has. */
  groupSize: number;
  /** The most operations that wait in one lane; further ones are refused. */
  queueSize: number;
  /** Milliseconds that an operation waits for what others hold, beside its lane. */
  patience: number;
}

/** An operation that somebody waits for. */
export interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  readonly settle: (outcome: Settled<Outcome>) => void;
}
