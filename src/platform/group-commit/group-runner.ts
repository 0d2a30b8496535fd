import type { GroupCommitOptions, PendingOperation } from './group-commit-options';

/** Commits groups, and gives each operation its result. */
export class GroupRunner<Operation, Outcome> {
  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {}

  /**
   * Never rejects. When a group fails because of one operation, its halves are tried alone, so that in
   * the end only that operation fails.
   * @returns the operations without a result, because other transactions hold a lock of one of them
   */
  async run(
    group: readonly PendingOperation<Operation, Outcome>[],
  ): Promise<readonly PendingOperation<Operation, Outcome>[]> {
    if (group.length === 0) return group;
    try {
      const results = await this.options.commit(group.map(({ operation }) => operation));
      group.forEach(({ resolve }, index) => resolve(results[index]!));
      return [];
    } catch (error) {
      const cause = this.options.causeOf(error);
      if (cause === 'lock') return group;
      if (cause === 'group' || group.length === 1) {
        for (const { resolve } of group) resolve({ error });
        return [];
      }
    }
    const middle = Math.ceil(group.length / 2);
    const rest = group.slice(middle);
    const unfinished = await this.run(group.slice(0, middle));
    // None of the rest overtakes an unfinished operation before it.
    return unfinished.length > 0 ? [...unfinished, ...rest] : this.run(rest);
  }
}
