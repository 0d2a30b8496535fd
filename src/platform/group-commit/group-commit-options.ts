/** The result of one operation of a group. */
export type OperationResult<Outcome> = { readonly value: Outcome } | { readonly error: unknown };

/**
 * Why a group failed: because of one of its operations, because other transactions hold a lock that
 * one of them needs, or for a reason that concerns the group as a whole.
 */
export type FailureCause = 'operation' | 'lock' | 'group';

export interface GroupCommitOptions<Operation, Outcome> {
  /** Carries out a whole group, atomically. The results are in the order of the operations. */
  commit(operations: readonly Operation[]): Promise<readonly OperationResult<Outcome>[]>;
  causeOf(error: unknown): FailureCause;
  /** Operations of an equal key share a queue, and so their groups. */
  queueKeyOf(operation: Operation): string;
  /** Operations of an equal key, which share a queue too, are carried out in their order. */
  orderKeyOf(operation: Operation): string;
  /** Names of all locks that an operation takes. */
  locksOf(operation: Operation): readonly string[];
  /** Which locks of the operations other transactions hold now; it waits for none of them. */
  heldLocks(operations: readonly Operation[]): Promise<ReadonlySet<string>>;
  queues: number;
  /** The most operations of a group. */
  groupSize: number;
  /** The most operations that wait in one queue; more are refused. */
  queueSize: number;
  /** How long a blocked operation waits for locks, beside its queue. */
  lockTimeoutMs: number;
}

/** An operation whose caller waits for the result. */
export interface PendingOperation<Operation, Outcome> {
  readonly operation: Operation;
  readonly resolve: (result: OperationResult<Outcome>) => void;
}
