import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Histogram } from 'prom-client';
import { isLockTimeout } from '../platform/database';
import { isUnavailable } from '../platform/errors';
import { GroupCommit } from './group-commit';
import type { Settled } from './group-commit-options';
import { InteractiveCache } from './interactive.cache';
import type { MarkOperation } from './mark';
import { keyOfMark, keyOfObject, marksOf, needsOf, type Step } from './mark.group';
import { MarkRepository } from './mark.repository';
import type { CounterRow, ObjectState } from './states';

/** Two lanes keep the database busy while this process parses and answers. */
const LANES = 2;
const GROUP_SIZE = 256;
const QUEUE_SIZE = 10_000;
/** Milliseconds for which a like waits for what others hold, on top of the first wait for a lock. */
const PATIENCE = 3_000;

const groupSize = new Histogram({
  name: 'webook_mark_group_size',
  help: 'Likes and collects that one transaction carried out',
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
});

interface Marked {
  readonly state: ObjectState;
  /** Resolves when the caches show the group's states to everybody. */
  readonly shown: Promise<void>;
}

/** Likes and collects: joined into groups, committed, then shown in the caches. */
@Injectable()
export class MarkWriter implements OnModuleDestroy {
  private readonly logger = new Logger(MarkWriter.name);
  private readonly groups = new GroupCommit<MarkOperation, Marked>({
    commit: (operations) => this.commit(operations),
    keyOf: keyOfObject,
    orderOf: keyOfMark,
    needsOf,
    heldOf: (operations) => this.repository.heldOf(operations),
    causeOf: (error) =>
      isLockTimeout(error) ? 'lock' : isUnavailable(error) ? 'group' : 'operation',
    lanes: LANES,
    groupSize: GROUP_SIZE,
    queueSize: QUEUE_SIZE,
    patience: PATIENCE,
  });

  constructor(
    private readonly repository: MarkRepository,
    private readonly cache: InteractiveCache,
  ) {}

  /**
   * Carries out one operation; repeated or not, it ends in the state that was asked for.
   * @returns the object's counters and the user's marks right after it
   * @throws CollectionNotFoundError (404); UnavailableError (503) when MySQL or Redis is away or
   * overloaded, and then the operation may or may not have happened
   */
  async write(operation: MarkOperation): Promise<ObjectState> {
    const { state, shown } = await this.groups.submit(operation);
    await shown;
    return state;
  }

  /**
   * The caches forget the users' marks before the commit and are told the new ones after it: if
   * the process dies in between, nobody finds an outdated mark there. Outdated counters are mended
   * by change capture.
   */
  private async commit(operations: readonly MarkOperation[]): Promise<Settled<Marked>[]> {
    const announced = this.cache.announce(marksOf(operations));
    // Awaited within the transaction; until then a rejection is not an unhandled one.
    announced.catch(() => undefined);
    const { rows, marks, steps } = await this.repository
      .commit(operations, announced)
      .catch((error: unknown) => {
        // Rolled back for certain: the parts of the group that are tried again announce anew.
        if (!isUnavailable(error)) this.retract(operations);
        throw error;
      });
    const shown = this.cache.apply(rows, marks).catch((error: unknown) => {
      // What was announced is read from MySQL until it has expired, so the answer stays right.
      this.logger.warn(`the caches missed a group of ${marks.length} marks: ${String(error)}`);
    });
    groupSize.observe(operations.length);
    const counters = new Map(rows.map((row) => [keyOfObject(row), row]));
    return steps.map((step, index) => {
      if ('error' in step) return step;
      const operation = operations[index]!;
      const row = counters.get(keyOfObject(operation));
      return { value: { state: stateAfter(operation, step, row), shown } };
    });
  }

  private retract(operations: readonly MarkOperation[]): void {
    this.cache.retract(marksOf(operations)).catch((error: unknown) => {
      this.logger.warn(`marks stay announced until that expires: ${String(error)}`);
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.groups.drained();
  }
}

/** The state as that operation's own user sees it, before the later ones of its group. */
function stateAfter(
  { biz, bizId }: MarkOperation,
  { liked, collected, later }: Exclude<Step, { error: unknown }>,
  row: CounterRow | undefined,
): ObjectState {
  return {
    biz,
    bizId,
    readCnt: row?.readCnt ?? 0,
    likeCnt: Math.max(0, (row?.likeCnt ?? 0) - later.like),
    collectCnt: Math.max(0, (row?.collectCnt ?? 0) - later.collect),
    liked,
    collected,
  };
}
