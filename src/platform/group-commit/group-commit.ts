import { CommitQueue } from './commit-queue';
import type { GroupCommitOptions } from './group-commit-options';

/**
 * Joins concurrent operations into groups. While one group of a queue commits, the next one gathers:
 * groups grow with the load, and an idle queue starts at once. Each caller gets the result of their own
 * operation. An operation that meets a lock which is held for long waits beside its queue; the others
 * go on.
 */
export class GroupCommit<Operation, Outcome> {
  private readonly queues: CommitQueue<Operation, Outcome>[];

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {
    this.queues = Array.from({ length: options.queues }, () => new CommitQueue(options));
  }

  /**
   * @throws UnavailableError (503) when too many operations wait already, or other transactions hold
   * the operation's locks for too long; otherwise the error of the operation or of the whole commit
   */
  submit(operation: Operation): Promise<Outcome> {
    const queue = this.queues[hash(this.options.queueKeyOf(operation)) % this.queues.length];
    return new Promise((resolve, reject) => {
      queue!.add({
        operation,
        resolve: (result) =>
          'value' in result ? resolve(result.value) : reject(result.error as Error),
      });
    });
  }

  /** Resolves when no operation waits or runs any more. */
  async drained(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.drained()));
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
