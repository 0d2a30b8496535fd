import { UnavailableError } from '../platform/errors';

/** What became of one operation of a group. */
export type Settled<Outcome> = { readonly value: Outcome } | { readonly error: unknown };

export interface GroupCommitOptions<Operation, Outcome> {
  /** Carries out a whole group, atomically. Its outcomes are in the order of the operations. */
  commit(operations: readonly Operation[]): Promise<readonly Settled<Outcome>[]>;
  /** Operations of an equal key keep their order and share groups. */
  keyOf(operation: Operation): string;
  /** Whether a failed group failed because of one of its operations, so that parts may succeed. */
  isSplittable(error: unknown): boolean;
  lanes: number;
  /** The most operations a group has. */
  groupSize: number;
  /** The most operations that wait in one lane; further ones are refused. */
  queueSize: number;
}

interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  readonly settle: (outcome: Settled<Outcome>) => void;
}

/**
 * Joins concurrent operations into groups: while one group of a lane commits, the next gathers, so
 * groups grow with the load and an idle lane starts at once. Each caller gets his own outcome.
 */
export class GroupCommit<Operation, Outcome> {
  private readonly lanes: Lane<Operation, Outcome>[];

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {
    this.lanes = Array.from({ length: options.lanes }, () => new Lane(options));
  }

  /**
   * @throws UnavailableError (503) when too many operations wait already; otherwise whatever the
   * operation itself, or the whole commit, failed with
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

class Lane<Operation, Outcome> {
  private waiting: Waiting<Operation, Outcome>[] = [];
  private running: Promise<void> | null = null;

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {}

  add(entry: Waiting<Operation, Outcome>): void {
    if (this.waiting.length >= this.options.queueSize) {
      entry.settle({ error: new UnavailableError('mysql', 'too many writes are waiting') });
      return;
    }
    this.waiting.push(entry);
    this.running ??= this.run();
  }

  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    // The rest of what this turn of the event loop read from its sockets joins the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0)
      await this.commit(this.waiting.splice(0, this.options.groupSize));
    // In the same turn as the check above: nothing can be added in between and be left behind.
    this.running = null;
  }

  /**
   * Never rejects. When a group fails for one operation's sake its halves are tried on their own,
   * so that in the end only that operation fails.
   */
  private async commit(group: readonly Waiting<Operation, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.options.commit(group.map(({ operation }) => operation));
      group.forEach(({ settle }, index) => settle(outcomes[index]!));
    } catch (error) {
      if (group.length === 1 || !this.options.isSplittable(error)) {
        for (const { settle } of group) settle({ error });
        return;
      }
      const middle = Math.ceil(group.length / 2);
      await this.commit(group.slice(0, middle));
      await this.commit(group.slice(middle));
    }
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
