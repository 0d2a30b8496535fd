import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Histogram } from 'prom-client';
import { keyOfObject } from '../../platform/business-object';
import { isLockTimeout } from '../../platform/database';
import { dependencyFault, isUnavailable } from '../../platform/errors';
import { GroupCommit, type OperationResult } from '../../platform/group-commit';
import { CountersCache } from '../cache/counters.cache';
import { OwnMarksCache } from '../cache/own-marks.cache';
import type { CounterRow } from '../model/counter-row';
import { keyOfMark } from '../model/mark';
import type { ObjectState } from '../model/object-state';
import { decide, type MarkChanges, type OperationOutcome } from './decide';
import { locksOf, type MarkOperation, marksOf } from './mark-operation';
import { MarkRepository } from './mark.repository';

/** Two queues keep the database busy while this process parses requests and answers them. */
const QUEUES = 2;
const GROUP_SIZE = 256;
const QUEUE_SIZE = 10_000;
/** How long a blocked operation waits, after its first wait for a lock inside of MySQL. */
const LOCK_TIMEOUT_MS = 3_000;

const groupSize = new Histogram({
  name: 'webook_mark_group_size',
  help: 'Likes and collects that one transaction carried out',
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
});

interface CommittedGroup {
  readonly changes: MarkChanges;
  /** The objects' counters, of those that have a row. */
  readonly rows: readonly CounterRow[];
}

interface CommittedMark {
  readonly state: ObjectState;
  /** Resolves when the caches show the group's states to every reader. */
  readonly shown: Promise<void>;
}

/** Likes and collects: joined into groups, committed, then shown in the caches. */
@Injectable()
export class MarkWriter implements OnModuleDestroy {
  private readonly logger = new Logger(MarkWriter.name);
  private readonly groups = new GroupCommit<MarkOperation, CommittedMark>({
    commit: (operations) => this.commit(operations),
    queueKeyOf: keyOfObject,
    orderKeyOf: keyOfMark,
    locksOf,
    heldLocks: (operations) => this.repository.heldLocks(operations),
    causeOf: (error) =>
      isLockTimeout(error) ? 'lock' : isUnavailable(error) ? 'group' : 'operation',
    queues: QUEUES,
    groupSize: GROUP_SIZE,
    queueSize: QUEUE_SIZE,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
  });

  constructor(
    private readonly repository: MarkRepository,
    private readonly counters: CountersCache,
    private readonly ownMarks: OwnMarksCache,
  ) {}

  /**
   * Carries out one operation. Repeated or not, it ends in the requested state.
   * @returns the object's counters and the user's marks right after it
   * @throws CollectionNotFoundError (404); UnavailableError (503) when MySQL or Redis is unavailable or
   * overloaded, and then the operation may or may not have happened
   */
  async write(operation: MarkOperation): Promise<ObjectState> {
    const { state, shown } = await this.groups.submit(operation);
    await shown;
    return state;
  }

  async onModuleDestroy(): Promise<void> {
    await this.groups.drained();
  }

  /**
   * One group: lock and read, decide, write and commit, show. Readers are told before the commit that
   * the marks will change, and see the new ones after it. If the process dies in between, no reader
   * finds an outdated mark in the cache; outdated counters are corrected by change capture.
   */
  private async commit(
    operations: readonly MarkOperation[],
  ): Promise<OperationResult<CommittedMark>[]> {
    const announced = this.ownMarks.announce(marksOf(operations));
    // Awaited inside of the transaction; until then a rejection must not count as unhandled.
    announced.catch(() => undefined);
    const group = await this.repository
      .inTransaction(async (transaction): Promise<CommittedGroup> => {
        const locked = await transaction.lock(operations);
        const changes = decide(operations, locked);
        await announced;
        return { changes, rows: await transaction.commit(changes, locked) };
      })
      .catch((error: unknown) => {
        // The parts of the group that are tried again announce again.
        if (isRolledBack(error)) this.retract(operations);
        throw error;
      });
    groupSize.observe(operations.length);
    return resultsOf(operations, group, this.show(group));
  }

  /** Never rejects: until it expires, what was announced is read from MySQL, so answers stay right. */
  private async show({ rows, changes: { marks } }: CommittedGroup): Promise<void> {
    try {
      await Promise.all([this.counters.applyStates(rows), this.ownMarks.applyStates(marks)]);
    } catch (error) {
      this.logger.warn(`The caches missed a group of ${marks.length} marks: ${String(error)}`);
    }
  }

  private retract(operations: readonly MarkOperation[]): void {
    this.ownMarks.retract(marksOf(operations)).catch((error: unknown) => {
      this.logger.warn(`Marks stay announced until that expires: ${String(error)}`);
    });
  }
}

/**
 * Whether the group was announced and is rolled back for certain. After an error of Redis it may not
 * have been announced, and a retraction would end the announcement of another group.
 */
function isRolledBack(error: unknown): boolean {
  const fault = dependencyFault(error);
  return fault === null || (fault.dependency === 'mysql' && !fault.isAway);
}

function resultsOf(
  operations: readonly MarkOperation[],
  { changes, rows }: CommittedGroup,
  shown: Promise<void>,
): OperationResult<CommittedMark>[] {
  const counters = new Map(rows.map((row) => [keyOfObject(row), row]));
  return changes.outcomes.map((outcome, index) => {
    if ('error' in outcome) return outcome;
    const operation = operations[index]!;
    const row = counters.get(keyOfObject(operation));
    return { value: { state: stateAfter(operation, outcome, row), shown } };
  });
}

/** The state as the operation's own user sees it, before the later operations of its group. */
function stateAfter(
  { biz, bizId }: MarkOperation,
  { liked, collected, later }: Exclude<OperationOutcome, { error: unknown }>,
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
