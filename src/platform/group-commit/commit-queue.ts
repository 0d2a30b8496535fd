import { UnavailableError } from '../errors';
import { BlockedOperations } from './blocked-operations';
import type { GroupCommitOptions, PendingOperation } from './group-commit-options';
import { GroupRunner } from './group-runner';

/** Operations that are carried out group after group. */
export class CommitQueue<Operation, Outcome> {
  private pending: PendingOperation<Operation, Outcome>[] = [];
  private running: Promise<void> | null = null;
  private readonly runner: GroupRunner<Operation, Outcome>;
  private readonly blocked: BlockedOperations<Operation, Outcome>;

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {
    this.runner = new GroupRunner(options);
    this.blocked = new BlockedOperations(options, this.runner);
  }

  add(pending: PendingOperation<Operation, Outcome>): void {
    if (this.pending.length + this.blocked.size >= this.options.queueSize) {
      pending.resolve({ error: new UnavailableError('mysql', 'too many writes are waiting') });
      return;
    }
    this.pending.push(pending);
    this.running ??= this.run();
  }

  async drained(): Promise<void> {
    while (this.running) await this.running;
    await this.blocked.drained();
  }

  private async run(): Promise<void> {
    // All requests that this turn of the event loop reads from its sockets join the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.pending.length > 0)
      await this.carryOut(this.pending.splice(0, this.options.groupSize));
    // In the same turn as the check above: no operation can be added in between and be forgotten.
    this.running = null;
  }

  /** Never rejects. Ends when every operation has its result or counts as blocked. */
  private async carryOut(group: readonly PendingOperation<Operation, Outcome>[]): Promise<void> {
    const unfinished = await this.runner.run(this.blocked.take(group));
    if (unfinished.length === 0) return;
    const free = await this.blocked.takeHeld(unfinished);
    if (free.length < unfinished.length) return this.carryOut(free);
    if (unfinished.length === 1) return this.blocked.add(unfinished);
    // The lock in their way cannot be seen, e.g. that of a gap: one of the halves may get through.
    const middle = Math.ceil(unfinished.length / 2);
    await this.carryOut(unfinished.slice(0, middle));
    await this.carryOut(unfinished.slice(middle));
  }
}
