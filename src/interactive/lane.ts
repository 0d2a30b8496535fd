import { UnavailableError } from '../platform/errors';
import { Aside } from './aside';
import type { GroupCommitOptions, Waiting } from './group-commit-options';
import { GroupRunner } from './group-runner';

/** Operations that are carried out group after group. */
export class Lane<Operation, Outcome> {
  private waiting: Waiting<Operation, Outcome>[] = [];
  private running: Promise<void> | null = null;
  private readonly runner: GroupRunner<Operation, Outcome>;
  private readonly aside: Aside<Operation, Outcome>;

  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {
    this.runner = new GroupRunner(options);
    this.aside = new Aside(options, this.runner);
  }

  add(entry: Waiting<Operation, Outcome>): void {
    if (this.waiting.length + this.aside.size >= this.options.queueSize) {
      entry.settle({ error: new UnavailableError('mysql', 'too many writes are waiting') });
      return;
    }
    this.waiting.push(entry);
    this.running ??= this.run();
  }

  async drained(): Promise<void> {
    while (this.running) await this.running;
    await this.aside.drained();
  }

  private async run(): Promise<void> {
    // The rest of what this turn of the event loop read from its sockets joins the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0)
      await this.carryOut(this.waiting.splice(0, this.options.groupSize));
    // In the same turn as the check above: nothing can be added in between and be left behind.
    this.running = null;
  }

  /** Never rejects, and ends when everything is settled or put aside. */
  private async carryOut(entries: readonly Waiting<Operation, Outcome>[]): Promise<void> {
    const left = await this.runner.run(this.aside.take(entries));
    if (left.length === 0) return;
    const free = await this.aside.takeHeld(left);
    if (free.length < left.length) return this.carryOut(free);
    if (left.length === 1) return this.aside.add(left);
    // Whatever is in their way cannot be seen, e.g. a gap that is locked: parts may get through.
    const middle = Math.ceil(left.length / 2);
    await this.carryOut(left.slice(0, middle));
    await this.carryOut(left.slice(middle));
  }
}
