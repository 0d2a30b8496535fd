import { Lane } from './lane';

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

/**
 * Joins concurrent operations into groups: while one group of a lane commits, the next gathers, so
 * groups grow with the load and an idle lane starts at once. Each caller gets his own outcome. An
 * operation that meets a lock held for long waits beside its lane, and the others go on.
 */
export class GroupCommit<Operation, Outcome> {
  private readonly lanes: Lane<Operation, Outcome>[];

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {
    this.lanes = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  /**
   * @throws UnavailableError (503) when too many operations wait already, or others hold for too long
   * what this one needs; otherwise whatever the operation itself, or the whole commit, failed with
   */
  submit(operation: Operation): Promise<Outcome> {
    const lane = this.lanes[hash(this.options.keyOf(operation)) % this.lanes.length];
    return new Promise((resolve, reject) => {
      lane!.add({
        operation,
        settle: (outcome) =>
          'value' in outcome ? resolve(outcome.value) : reject(outcome.error as Error),
      });
    });
  }

  /** Resolves when nothing waits or runs any more. */
  async drained(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.drained()));
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
