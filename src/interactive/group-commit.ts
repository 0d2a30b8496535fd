import type { GroupCommitOptions } from './group-commit-options';
import { Lane } from './lane';

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
