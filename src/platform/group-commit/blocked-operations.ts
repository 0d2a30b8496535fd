import { UnavailableError } from '../errors';
import { pause } from '../timing';
import type { GroupCommitOptions, PendingOperation } from './group-commit-options';
import type { GroupRunner } from './group-runner';

const LOOK_EVERY_MS = 50;

/**
 * The operations of a queue whose locks other transactions hold, and those that must not overtake them.
 * They do not wait inside of MySQL, where each would need a connection. Instead one query looks for
 * all of their locks, again and again, and what has become free is carried out.
 */
export class BlockedOperations<Operation, Outcome> {
  /** In their order, each with the time at which it is given up. */
  private readonly deadlines = new Map<PendingOperation<Operation, Outcome>, number>();
  /** Locks that blocked a group and were held at every look since. */
  private readonly held = new Set<string>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly options: GroupCommitOptions<Operation, Outcome>,
    private readonly runner: GroupRunner<Operation, Outcome>,
  ) {}

  get size(): number {
    return this.deadlines.size;
  }

  add(operations: readonly PendingOperation<Operation, Outcome>[]): void {
    const deadline = performance.now() + this.options.lockTimeoutMs;
    for (const each of operations) this.deadlines.set(each, deadline);
    if (this.deadlines.size > 0) this.running ??= this.run();
  }

  /** Takes those that are known to be blocked. @returns the others */
  take(
    group: readonly PendingOperation<Operation, Outcome>[],
  ): readonly PendingOperation<Operation, Outcome>[] {
    if (this.deadlines.size === 0 && this.held.size === 0) return group;
    const { free, blocked } = this.divide(group, this.deadlines.keys());
    this.add(blocked);
    return free;
  }

  /** Looks which locks of a group that met one are held, and takes their operations. @returns the others */
  async takeHeld(
    group: readonly PendingOperation<Operation, Outcome>[],
  ): Promise<readonly PendingOperation<Operation, Outcome>[]> {
    try {
      const held = await this.heldLocks(group);
      for (const name of this.locksOf(group)) if (held.has(name)) this.held.add(name);
      return this.take(group);
    } catch (error) {
      for (const { resolve } of group) resolve({ error });
      return [];
    }
  }

  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    while (this.deadlines.size > 0) {
      await pause(LOOK_EVERY_MS);
      await this.look([...this.deadlines.keys()]);
    }
    this.held.clear();
    this.running = null;
  }

  /** Carries out what has become free, and gives up what has waited for too long. */
  private async look(operations: readonly PendingOperation<Operation, Outcome>[]): Promise<void> {
    const known = [...this.held];
    try {
      const held = await this.heldLocks(operations);
      for (const name of known) if (!held.has(name)) this.held.delete(name);
    } catch (error) {
      for (const { resolve } of operations) resolve({ error });
      this.remove(operations);
      return;
    }
    const group = this.divide(operations, []).free.slice(0, this.options.groupSize);
    const unfinished = new Set(await this.carryOut(group));
    // Only now: an operation that arrived meanwhile must not overtake them.
    this.remove(group.filter((each) => !unfinished.has(each)));
    const now = performance.now();
    const late = [...this.deadlines].flatMap(([each, deadline]) => (deadline < now ? [each] : []));
    for (const { resolve } of late)
      resolve({
        error: new UnavailableError('mysql', 'the rows are locked by other transactions'),
      });
    this.remove(late);
  }

  /** @returns those that still met a lock */
  private async carryOut(
    group: readonly PendingOperation<Operation, Outcome>[],
  ): Promise<readonly PendingOperation<Operation, Outcome>[]> {
    const unfinished = await this.runner.run(group);
    if (unfinished.length <= 1) return unfinished;
    const middle = Math.ceil(unfinished.length / 2);
    const first = await this.carryOut(unfinished.slice(0, middle));
    const { free, blocked } = this.divide(unfinished.slice(middle), first);
    return [...first, ...(await this.carryOut(free)), ...blocked];
  }

  private remove(operations: readonly PendingOperation<Operation, Outcome>[]): void {
    for (const each of operations) this.deadlines.delete(each);
  }

  private locksOf(group: readonly PendingOperation<Operation, Outcome>[]): readonly string[] {
    return group.flatMap(({ operation }) => this.options.locksOf(operation));
  }

  private heldLocks(
    group: readonly PendingOperation<Operation, Outcome>[],
  ): Promise<ReadonlySet<string>> {
    return this.options.heldLocks(group.map(({ operation }) => operation));
  }

  /** Blocked is what needs a held lock, or would overtake one of `before` or a blocked one. */
  private divide(
    group: readonly PendingOperation<Operation, Outcome>[],
    before: Iterable<PendingOperation<Operation, Outcome>>,
  ) {
    const { orderKeyOf } = this.options;
    const blockedKeys = new Set<string>();
    for (const { operation } of before) blockedKeys.add(orderKeyOf(operation));
    const free: PendingOperation<Operation, Outcome>[] = [];
    const blocked: PendingOperation<Operation, Outcome>[] = [];
    for (const each of group) {
      const key = orderKeyOf(each.operation);
      const isBlocked =
        blockedKeys.has(key) || this.locksOf([each]).some((name) => this.held.has(name));
      (isBlocked ? blocked : free).push(each);
      if (isBlocked) blockedKeys.add(key);
    }
    return { free, blocked };
  }
}
