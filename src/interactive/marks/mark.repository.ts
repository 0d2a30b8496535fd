import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { keyOfObject, type ObjectRef } from '../../platform/business-object';
import { Environment } from '../../platform/config';
import {
  type BulkValue,
  Database,
  isContention,
  isDuplicateKey,
  isLockTimeout,
  MultiStatementPool,
  type SendStatements,
  StatementBatch,
} from '../../platform/database';
import { UnavailableError } from '../../platform/errors';
import { retry, type RetryOptions } from '../../platform/timing';
import { counterOf, type CounterSqlRow } from '../counters/counter-sql-row';
import type { CounterRow } from '../model/counter-row';
import { keyOfMark, MARK_KINDS, type MarkKey, type MarkKind, type MarkState } from '../model/mark';
import type { CounterDelta, LockedMarks, MarkChanges } from './decide';
import { foldersOf, keyOfFolder, type MarkOperation, marksOf, objectsOf } from './mark-operation';
import {
  COUNT,
  FIND,
  INSERT,
  lockable,
  NOT_BELOW_ZERO,
  OFF,
  ON,
  PRESENT,
  STATES,
  UPDATE,
} from './mark.statements';
import type { MarkRecord } from './transition';

/** One for each commit queue, and one for the blocked operations of each. */
const CONNECTIONS = 4;
/** How long a statement waits for a row lock: the whole group waits with it. */
const LOCK_WAIT_SECONDS = 1;

/**
 * After a deadlock, and after a duplicate key: of two transactions that found no row and inserted it,
 * the second one finds it when it runs again. A lock timeout is the caller's to handle.
 */
const PASSING: RetryOptions = {
  attempts: 8,
  firstPauseMs: 2,
  isPassing: (error) => (isContention(error) && !isLockTimeout(error)) || isDuplicateKey(error),
  giveUp: (error) =>
    new UnavailableError('mysql', 'the rows are locked by other transactions', error),
};

/** What a transaction has locked and read. */
export interface LockedRows extends LockedMarks {
  readonly objects: readonly ObjectRef[];
  /** By `keyOfObject`: the primary keys of the objects' counters, where they have a row. */
  readonly counterIds: ReadonlyMap<string, number>;
}

interface ObjectRow {
  biz: string;
  biz_id: number;
}

interface MarkRow extends ObjectRow {
  uid: number;
  status: number;
  version: number;
  collection_id: number | null;
}

interface FolderRow {
  id: number;
  uid: number;
}

interface CounterIdRow extends ObjectRow {
  id: number;
}

/** The SQL of likes and collects. */
@Injectable()
export class MarkRepository implements OnApplicationShutdown {
  private readonly pool: MultiStatementPool;

  constructor(
    private readonly database: Database,
    { MYSQL_URL }: Environment,
  ) {
    this.pool = new MultiStatementPool(MYSQL_URL, {
      connections: CONNECTIONS,
      lockWaitSeconds: LOCK_WAIT_SECONDS,
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }

  /**
   * Runs `work` in one READ COMMITTED transaction, which `work` itself commits. After a deadlock or a
   * duplicate key it runs again.
   * @throws a lock timeout when rows stay locked; `heldLocks` returns which
   */
  inTransaction<T>(work: (transaction: MarkTransaction) => Promise<T>): Promise<T> {
    return retry(PASSING, () => this.pool.use((send) => work(new MarkTransaction(send))));
  }

  /**
   * The names (`locksOf`) of rows that the operations need and other transactions have locked now. Rows
   * that others have inserted and not committed are seen too; locked gaps are not.
   */
  async heldLocks(operations: readonly MarkOperation[]): Promise<Set<string>> {
    const marks = marksOf(operations).map(tupleOfMark);
    const objects = objectsOf(operations).map(tupleOfObject);
    const folderIds = foldersOf(operations);
    const batch = new StatementBatch();
    batch.add('SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
    batch.add('START TRANSACTION');
    const looks = [
      lookAt(batch, PRESENT.like, marks, nameOfMark),
      lookAt(batch, PRESENT.collect, marks, nameOfMark),
      lookAt(batch, PRESENT.counters, objects, nameOfObject),
      folderIds.length > 0 && lookAt(batch, PRESENT.folders, folderIds, nameOfFolder),
    ];
    batch.add('ROLLBACK');
    const results = await this.pool.use((send) => send(batch));
    return new Set(looks.flatMap((heldIn) => (heldIn ? heldIn(results) : [])));
  }

  /** The users' records on the objects, in the order of the keys. */
  async states(keys: readonly MarkKey[]): Promise<MarkState[]> {
    if (keys.length === 0) return [];
    const marks = keys.map(tupleOfMark);
    const rows = await this.database.queryRows<MarkRow & { kind: MarkKind }>(STATES, [
      marks,
      marks,
    ]);
    const found = new Map(rows.map((row) => [row.kind + nameOfMark(row), row]));
    const stateOf = (kind: MarkKind, key: MarkKey) => {
      const row = found.get(kind + keyOfMark(key));
      return { on: row?.status === ON, version: row?.version ?? 0 };
    };
    return keys.map(({ uid, biz, bizId }) => {
      const key = { uid, biz, bizId };
      return { ...key, like: stateOf('like', key), collect: stateOf('collect', key) };
    });
  }
}

/**
 * A transaction of two round trips: `lock`, then `commit`. Tables and rows are always locked in the same
 * order. The counters are locked last, in the round trip that commits: they are what other groups,
 * other processes and the read counter wait for.
 */
export class MarkTransaction {
  constructor(private readonly send: SendStatements) {}

  /** Begins the transaction; locks and reads the operations' records and folders. */
  async lock(operations: readonly MarkOperation[]): Promise<LockedRows> {
    const marks = marksOf(operations).map(tupleOfMark);
    const objects = objectsOf(operations);
    const folderIds = foldersOf(operations);
    const batch = new StatementBatch();
    batch.add('START TRANSACTION');
    const folders = folderIds.length > 0 ? batch.add(FIND.folders, folderIds) : null;
    const like = batch.add(FIND.like, marks);
    const collect = batch.add(FIND.collect, marks);
    const counterIds = batch.add(FIND.counterIds, objects.map(tupleOfObject));
    const found = await this.send(batch);
    return {
      like: recordsOf(found[like] as MarkRow[]),
      collect: recordsOf(found[collect] as MarkRow[]),
      folders: new Set(folders === null ? [] : (found[folders] as FolderRow[]).map(nameOfFolder)),
      objects,
      counterIds: new Map(
        (found[counterIds] as CounterIdRow[]).map((row) => [nameOfObject(row), row.id]),
      ),
    };
  }

  /** Writes the changes and commits. @returns the objects' counters, of those that have a row */
  async commit(changes: MarkChanges, { objects, counterIds }: LockedRows): Promise<CounterRow[]> {
    const batch = new StatementBatch();
    const now = Date.now();
    writeRecords(batch, changes, now);
    writeCounters(batch, changes.deltas, counterIds, now);
    const counters = batch.add(FIND.counters, objects.map(tupleOfObject));
    batch.add('COMMIT');
    const results = await this.send(batch);
    return (results[counters] as CounterSqlRow[]).map(counterOf);
  }
}

const tupleOfMark = ({ uid, biz, bizId }: MarkKey): BulkValue[] => [uid, biz, bizId];
const tupleOfObject = ({ biz, bizId }: ObjectRef): BulkValue[] => [bizId, biz];
const objectOf = (row: ObjectRow): ObjectRef => ({ biz: row.biz, bizId: row.biz_id });

const nameOfMark = (row: MarkRow): string => keyOfMark({ uid: row.uid, ...objectOf(row) });
const nameOfObject = (row: ObjectRow): string => keyOfObject(objectOf(row));
const nameOfFolder = ({ id, uid }: FolderRow): string => keyOfFolder(uid, id);

/** Adds a look at rows to the batch. @returns a function that finds the locked ones in its results */
function lookAt<Row>(
  batch: StatementBatch,
  present: string,
  keys: BulkValue,
  nameOf: (row: Row) => string,
): (results: readonly unknown[]) => string[] {
  const all = batch.add(present, keys);
  const free = batch.add(lockable(present), keys);
  return (results) => {
    const names = new Set((results[free] as Row[]).map(nameOf));
    return (results[all] as Row[]).map(nameOf).filter((name) => !names.has(name));
  };
}

const recordsOf = (rows: readonly MarkRow[]): Map<string, MarkRecord> =>
  new Map(
    rows.map((row) => [
      nameOfMark(row),
      { on: row.status === ON, collectionId: row.collection_id, version: row.version },
    ]),
  );

function writeRecords(batch: StatementBatch, { records }: MarkChanges, now: number): void {
  for (const kind of MARK_KINDS) {
    const rowsOf = (isNew: boolean): BulkValue[][] =>
      records[kind]
        .filter((change) => change.isNew === isNew)
        .map(({ uid, biz, bizId, record: { on, collectionId, version } }) => {
          const folder = kind === 'collect' ? [collectionId] : [];
          return [uid, biz, bizId, ...folder, on ? ON : OFF, version, now, now];
        });
    const inserted = rowsOf(true);
    const updated = rowsOf(false);
    if (inserted.length > 0) batch.add(INSERT[kind], inserted);
    if (updated.length > 0) batch.add(UPDATE[kind], updated);
  }
}

function writeCounters(
  batch: StatementBatch,
  deltas: readonly CounterDelta[],
  counterIds: ReadonlyMap<string, number>,
  now: number,
): void {
  if (deltas.length === 0) return;
  const rows = deltas.map(({ biz, bizId, like, collect }) => {
    const id = counterIds.get(keyOfObject({ biz, bizId })) ?? null;
    return [id, biz, bizId, like, collect, 1, now, now];
  });
  batch.add(COUNT, rows);
  const lost = deltas.filter(
    (delta) => (delta.like < 0 || delta.collect < 0) && !counterIds.has(keyOfObject(delta)),
  );
  if (lost.length > 0) batch.add(NOT_BELOW_ZERO, lost.map(tupleOfObject));
}
