import { UnavailableError } from '../platform/errors';
import type { GroupCommitOptions, Waiting } from './group-commit-options';
import type { GroupRunner } from './group-runner';

/** Milliseconds between two looks at what is held. */
const PAUSE = 50;

/**
 * What a lane has put aside: operations whose locks others hold, and what must not overtake these.
 * They do not queue at the locks, which would take a connection for each: all that they need is
 * looked at in one go, again and again, and what has become free is carried out.
 */
export class Aside<Operation, Outcome> {
  /** In the order in which they came, each with the time at which it is given up. */
  private readonly entries = new Map<Waiting<Operation, Outcome>, number>();
  /** What stood in the way of a group and was held at every look since. */
  private readonly held = new Set<string>();
  private running: Promise<void> | null = null;

  constructor(
    private readonly options: GroupCommitOptions<Operation, Outcome>,
    private readonly runner: GroupRunner<Operation, Outcome>,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  add(entries: readonly Waiting<Operation, Outcome>[]): void {
    const deadline = performance.now() + this.options.patience;
    for (const entry of entries) this.entries.set(entry, deadline);
    if (this.entries.size > 0) this.running ??= this.run();
  }

  /** Takes those that are known to have to wait. @returns the others */
  take(entries: readonly Waiting<Operation, Outcome>[]): readonly Waiting<Operation, Outcome>[] {
    if (this.entries.size === 0 && this.held.size === 0) return entries;
    const { free, blocked } = this.sortOut(entries, this.entries.keys());
    this.add(blocked);
    return free;
  }

  /** Takes those of a group that met a lock whose locks are held. @returns the others */
  async takeHeld(
    group: readonly Waiting<Operation, Outcome>[],
  ): Promise<readonly Waiting<Operation, Outcome>[]> {
    try {
      const held = await this.heldOf(group);
      for (const name of this.needsOf(group)) if (held.has(name)) this.held.add(name);
      return this.take(group);
    } catch (error) {
      for (const { settle } of group) settle({ error });
      return [];
    }
  }

  async drained(): Promise<void> {
    while (this.running) await this.running;
  }

  private async run(): Promise<void> {
    while (this.entries.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      await this.lookAfter([...this.entries.keys()]);
    }
    this.held.clear();
    this.running = null;
  }

  /** Carries out what is free by now, and gives up what has waited for too long. */
  private async lookAfter(entries: readonly Waiting<Operation, Outcome>[]): Promise<void> {
    const known = [...this.held];
    try {
      const held = await this.heldOf(entries);
      for (const name of known) if (!held.has(name)) this.held.delete(name);
    } catch (error) {
      for (const { settle } of entries) settle({ error });
      this.remove(entries);
      return;
    }
    const group = this.sortOut(entries, []).free.slice(0, this.options.groupSize);
    const left = new Set(await this.carryOut(group));
    // Only now: what comes meanwhile must not overtake them.
    this.remove(group.filter((entry) => !left.has(entry)));
    const now = performance.now();
    const late = [...this.entries].flatMap(([entry, deadline]) => (deadline < now ? [entry] : []));
    for (const { settle } of late)
      settle({ error: new UnavailableError('mysql', 'the rows are locked by others') });
    this.remove(late);
  }

  /** @returns those that met a lock even so */
  private async carryOut(
    entries: readonly Waiting<Operation, Outcome>[],
  ): Promise<readonly Waiting<Operation, Outcome>[]> {
    const left = await this.runner.run(entries);
    if (left.length <= 1) return left;
    const middle = Math.ceil(left.length / 2);
    const first = await this.carryOut(left.slice(0, middle));
    const { free, blocked } = this.sortOut(left.slice(middle), first);
    return [...first, ...(await this.carryOut(free)), ...blocked];
  }

  private remove(entries: readonly Waiting<Operation, Outcome>[]): void {
    for (const entry of entries) this.entries.delete(entry);
  }

  private needsOf(entries: readonly Waiting<Operation, Outcome>[]): readonly string[] {
    return entries.flatMap(({ operation }) => this.options.needsOf(operation));
  }

  private heldOf(entries: readonly Waiting<Operation, Outcome>[]): Promise<ReadonlySet<string>> {
    return this.options.heldOf(entries.map(({ operation }) => operation));
  }

  /** Which of the entries need what is held, or would overtake one of `before` or of these. */
  private sortOut(
    entries: readonly Waiting<Operation, Outcome>[],
    before: Iterable<Waiting<Operation, Outcome>>,
  ) {
    const { orderOf } = this.options;
    const orders = new Set<string>();
    for (const { operation } of before) orders.add(orderOf(operation));
    const free: Waiting<Operation, Outcome>[] = [];
    const blocked: Waiting<Operation, Outcome>[] = [];
    for (const entry of entries) {
      const order = orderOf(entry.operation);
      const isBlocked =
        orders.has(order) || this.needsOf([entry]).some((name) => this.held.has(name));
      (isBlocked ? blocked : free).push(entry);
      if (isBlocked) orders.add(order);
    }
    return { free, blocked };
  }
}
