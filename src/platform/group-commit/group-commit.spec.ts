import * as fc from 'fast-check';
import { UnavailableError } from '../errors';
import { GroupCommit } from './group-commit';
import type { GroupCommitOptions, OperationResult } from './group-commit-options';

interface Operation {
  key: string;
  value: number;
}

const operation = (value: number, key = 'a'): Operation => ({ key, value });
const echo = (operations: readonly Operation[]): OperationResult<number>[] =>
  operations.map(({ value }) => ({ value }));

/** A commit that finishes when the test says so: the test decides what gathers meanwhile. */
function heldCommit() {
  const groups: Operation[][] = [];
  const finishes: (() => void)[] = [];
  const commit = (operations: readonly Operation[]): Promise<OperationResult<number>[]> => {
    groups.push([...operations]);
    return new Promise((resolve) => finishes.push(() => resolve(echo(operations))));
  };
  return { groups, commit, finish: () => finishes.shift()!() };
}

const make = (
  commit: GroupCommitOptions<Operation, number>['commit'],
  options: Partial<GroupCommitOptions<Operation, number>> = {},
): GroupCommit<Operation, number> =>
  new GroupCommit({
    commit,
    queueKeyOf: ({ key }) => key,
    orderKeyOf: ({ key }) => key,
    locksOf: ({ key }) => [key],
    heldLocks: () => Promise.resolve(new Set()),
    causeOf: () => 'operation',
    lockTimeoutMs: 1_000,
    queues: 1,
    groupSize: 100,
    queueSize: 1_000,
    ...options,
  });

/** Lets everything run that only waits for the event loop. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('GroupCommit', () => {
  it('commits at once when idle, and gathers while a group is under way', async () => {
    const held = heldCommit();
    const groups = make(held.commit);
    const first = groups.submit(operation(1));
    await settled();
    const rest = [2, 3, 4].map((value) => groups.submit(operation(value)));
    await settled();
    expect(held.groups.map((group) => group.length)).toEqual([1]);
    held.finish();
    await settled();
    expect(held.groups.map((group) => group.length)).toEqual([1, 3]);
    held.finish();
    expect(await Promise.all([first, ...rest])).toEqual([1, 2, 3, 4]);
  });

  it('keeps groups within their size and the order of what was submitted', async () => {
    const sizes: number[] = [];
    const order: number[] = [];
    const groups = make(
      (operations) => {
        sizes.push(operations.length);
        order.push(...operations.map(({ value }) => value));
        return Promise.resolve(echo(operations));
      },
      { groupSize: 4 },
    );
    const values = Array.from({ length: 10 }, (_, index) => index);
    await Promise.all(values.map((value) => groups.submit(operation(value))));
    expect(sizes).toEqual([4, 4, 2]);
    expect(order).toEqual(values);
  });

  it('gives each caller the error of their own operation', async () => {
    const groups = make((operations) =>
      Promise.resolve(
        operations.map(({ value }) =>
          value === 2 ? { error: new Error('no such folder') } : { value },
        ),
      ),
    );
    const outcomes = await Promise.allSettled([1, 2, 3].map((v) => groups.submit(operation(v))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('lets only the operations fail that make their group fail', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ value: fc.nat(), poison: fc.boolean() }), { maxLength: 40 }),
        async (entries) => {
          const poison = new Set(entries.flatMap((entry, i) => (entry.poison ? [i] : [])));
          const done: number[] = [];
          const groups = make((operations) => {
            if (operations.some(({ value }) => poison.has(value)))
              return Promise.reject(new Error('poisoned'));
            done.push(...operations.map(({ value }) => value));
            return Promise.resolve(echo(operations));
          });
          const outcomes = await Promise.allSettled(
            entries.map((_, index) => groups.submit(operation(index))),
          );
          outcomes.forEach(({ status }, index) =>
            expect(status).toBe(poison.has(index) ? 'rejected' : 'fulfilled'),
          );
          expect(done).toEqual(entries.map((_, i) => i).filter((i) => !poison.has(i)));
        },
      ),
    );
  });

  it('does not take a group apart when the database is away', async () => {
    let calls = 0;
    const groups = make(
      () => {
        calls++;
        return Promise.reject(new UnavailableError('mysql', 'down'));
      },
      { causeOf: () => 'group' },
    );
    const outcomes = await Promise.allSettled([1, 2, 3].map((v) => groups.submit(operation(v))));
    expect(calls).toBe(1);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('goes on after a failure', async () => {
    let isAway = true;
    const groups = make(
      (operations) =>
        isAway ? Promise.reject(new Error('away')) : Promise.resolve(echo(operations)),
      { causeOf: () => 'group' },
    );
    await expect(groups.submit(operation(1))).rejects.toThrow('away');
    isAway = false;
    await expect(groups.submit(operation(2))).resolves.toBe(2);
  });

  it('keeps the operations of one key in one queue, in order', async () => {
    const running = new Set<string>();
    const seen = new Map<string, number[]>();
    const groups = make(
      async (operations) => {
        const keys = new Set(operations.map(({ key }) => key));
        for (const key of keys) {
          expect(running.has(key)).toBe(false);
          running.add(key);
        }
        await new Promise((resolve) => setImmediate(resolve));
        for (const { key, value } of operations) seen.set(key, [...(seen.get(key) ?? []), value]);
        for (const key of keys) running.delete(key);
        return echo(operations);
      },
      { queues: 3, groupSize: 5 },
    );
    const keys = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        groups.submit(operation(index, keys[index % keys.length])),
      ),
    );
    for (const values of seen.values())
      expect(values).toEqual([...values].sort((left, right) => left - right));
    expect([...seen.values()].flat()).toHaveLength(200);
  });

  it('refuses what exceeds the queue, and takes no part of it', async () => {
    const held = heldCommit();
    const groups = make(held.commit, { queueSize: 2 });
    const first = groups.submit(operation(1));
    await settled();
    const waiting = [2, 3].map((value) => groups.submit(operation(value)));
    await expect(groups.submit(operation(4))).rejects.toBeInstanceOf(UnavailableError);
    held.finish();
    await settled();
    held.finish();
    expect(await Promise.all([first, ...waiting])).toEqual([1, 2, 3]);
    expect(held.groups.flat().map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it('resolves drained() when everything has been carried out', async () => {
    const held = heldCommit();
    const groups = make(held.commit);
    let isDrained = false;
    void groups.submit(operation(1));
    await settled();
    const drained = groups.drained().then(() => (isDrained = true));
    await settled();
    expect(isDrained).toBe(false);
    held.finish();
    await drained;
    await expect(groups.drained()).resolves.toBeUndefined();
  });

  it('carries out operations that arrive exactly when a group ends', async () => {
    const groups = make((operations) => Promise.resolve(echo(operations)));
    for (let round = 0; round < 50; round++) {
      const value = await groups.submit(operation(round));
      expect(value).toBe(round);
    }
  });

  describe('when other transactions hold locks', () => {
    const timeout = new Error('lock wait timeout');
    const causeOf = (error: unknown) => (error === timeout ? 'lock' : 'operation');

    /**
     * Operations that need a lock named by their key and one named by their value; those in `held`
     * are another's, and `unseen` ones cannot be looked at.
     */
    function lockedTable(options: Partial<GroupCommitOptions<Operation, number>> = {}) {
      const held = new Set<string>();
      const unseen = new Set<string>();
      const done: Operation[] = [];
      let timeouts = 0;
      const locksOf = ({ key, value }: Operation) => [key, `value ${value}`];
      const groups = make(
        async (operations) => {
          await new Promise((resolve) => setImmediate(resolve));
          const isHeld = (name: string) => held.has(name) || unseen.has(name);
          if (operations.flatMap(locksOf).some(isHeld)) {
            timeouts++;
            throw timeout;
          }
          done.push(...operations);
          return echo(operations);
        },
        {
          causeOf,
          locksOf,
          orderKeyOf: ({ key, value }) => `${key} ${value}`,
          heldLocks: () => Promise.resolve(new Set(held)),
          ...options,
        },
      );
      return { groups, held, unseen, done, timeouts: () => timeouts };
    }

    it('carries out all others after one timeout, and the blocked one when its lock is free', async () => {
      const { groups, held, timeouts } = lockedTable({ lockTimeoutMs: 60_000 });
      held.add('value 3');
      let isBlocked = true;
      const blocked = groups.submit(operation(3)).finally(() => (isBlocked = false));
      await Promise.all([1, 2, 4, 5].map((value) => groups.submit(operation(value))));
      expect([isBlocked, timeouts()]).toEqual([true, 1]);
      // It does not block later operations either, of the same key or another.
      await Promise.all([groups.submit(operation(6)), groups.submit(operation(7, 'b'))]);
      expect([isBlocked, timeouts()]).toEqual([true, 1]);
      held.clear();
      await expect(blocked).resolves.toBe(3);
      expect(timeouts()).toBe(1);
    });

    it('lets no later group meet a lock that is known to be held', async () => {
      const { groups, held, timeouts } = lockedTable({ lockTimeoutMs: 60_000 });
      held.add('hot');
      const blocked = [groups.submit(operation(1, 'hot'))];
      await groups.submit(operation(1, 'cold'));
      blocked.push(groups.submit(operation(2, 'hot')), groups.submit(operation(3, 'hot')));
      await groups.submit(operation(2, 'cold'));
      expect(timeouts()).toBe(1);
      held.clear();
      expect(await Promise.all(blocked)).toEqual([1, 2, 3]);
      expect(timeouts()).toBe(1);
    });

    it('gives up operations that wait for too long, and only those', async () => {
      const { groups, held } = lockedTable({ lockTimeoutMs: 10 });
      held.add('value 3');
      const outcomes = await Promise.allSettled(
        [1, 2, 3, 3, 4].map((value) => groups.submit(operation(value))),
      );
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      expect(outcomes[2]).toMatchObject({ reason: expect.any(UnavailableError) });
      held.clear();
      await expect(groups.submit(operation(3))).resolves.toBe(3);
    });

    it('carries out the rest of a group when a lock cannot be seen', async () => {
      const { groups, unseen } = lockedTable({ lockTimeoutMs: 10 });
      unseen.add('value 5');
      const outcomes = await Promise.allSettled(
        [1, 2, 3, 4, 5, 6, 7, 8].map((value) => groups.submit(operation(value))),
      );
      outcomes.forEach(({ status }, index) =>
        expect(status).toBe(index === 4 ? 'rejected' : 'fulfilled'),
      );
    });

    it('fails operations when the held locks cannot be read', async () => {
      const { groups, held } = lockedTable({
        heldLocks: () => Promise.reject(new UnavailableError('mysql', 'down')),
      });
      held.add('value 1');
      await expect(groups.submit(operation(1))).rejects.toBeInstanceOf(UnavailableError);
    });

    it('drains blocked operations too', async () => {
      const { groups, held, done } = lockedTable({ lockTimeoutMs: 60_000 });
      held.add('value 1');
      const blocked = groups.submit(operation(1));
      await groups.submit(operation(2));
      const drained = groups.drained().then(() => done.length);
      held.clear();
      expect(await drained).toBe(2);
      await blocked;
    });

    it('gives each operation one result and keeps each order, whatever locks are taken and freed', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ key: fc.constantFrom('a', 'b'), value: fc.nat({ max: 3 }) }), {
            maxLength: 30,
          }),
          fc.array(fc.constantFrom('a', 'b', 'value 0', 'value 1', 'value 2'), { maxLength: 6 }),
          async (entries, locks) => {
            const { groups, held, done } = lockedTable({ lockTimeoutMs: 60_000, groupSize: 4 });
            const submitted = entries.map((entry) => ({ ...entry }));
            const outcomes: Promise<number>[] = [];
            for (const [index, entry] of submitted.entries()) {
              const lock = locks[index % 7];
              if (lock && !held.delete(lock)) held.add(lock);
              outcomes.push(groups.submit(entry));
              if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
            }
            held.clear();
            await Promise.all(outcomes);
            expect(done).toHaveLength(submitted.length);
            for (const key of ['a', 'b'])
              for (let value = 0; value <= 3; value++) {
                const isSame = (each: Operation) => each.key === key && each.value === value;
                // Compared by identity, since several operations may be equal.
                done
                  .filter(isSame)
                  .forEach((each, i) => expect(each).toBe(submitted.filter(isSame)[i]));
              }
          },
        ),
        { numRuns: 30 },
      );
    });
  });
});
