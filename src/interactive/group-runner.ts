import type { GroupCommitOptions, Waiting } from './group-commit-options';

/** Commits groups, and tells each operation what became of it. */
export class GroupRunner<Operation, Outcome> {
  constructor(private readonly options: GroupCommitOptions<Operation, Outcome>) {}

  /**
   * Never rejects. When a group fails for one operation's sake its halves are tried on their own, so
   * that in the end only that operation fails.
   * @returns those that nothing has become of, since others hold what one of them needs
   */
  async run(
    group: readonly Waiting<Operation, Outcome>[],
  ): Promise<readonly Waiting<Operation, Outcome>[]> {
    if (group.length === 0) return group;
    try {
      const outcomes = await this.options.commit(group.map(({ operation }) => operation));
      group.forEach(({ settle }, index) => settle(outcomes[index]!));
      return [];
    } catch (error) {
      const cause = this.options.causeOf(error);
      if (cause === 'lock') return group;
      if (cause === 'group' || group.length === 1) {
        for (const { settle } of group) settle({ error });
        return [];
      }
    }
    const middle = Math.ceil(group.length / 2);
    const rest = group.slice(middle);
    const left = await this.run(group.slice(0, middle));
    // None of the rest overtakes what is left before it.
    return left.length > 0 ? [...left, ...rest] : this.run(rest);
  }
}
