import { Injectable } from '@nestjs/common';
import {
  type BulkValue,
  Database,
  isContention,
  isDuplicateKey,
  isLockTimeout,
} from '../platform/database';
import { UnavailableError } from '../platform/errors';
import { counterOf, type CounterSqlRow } from './counter-sql-row';
import type { MarkKind, MarkOperation, MarkRecord } from './mark';
import {
  type CounterDelta,
  type FoundMarks,
  keyOfFolder,
  keyOfMark,
  keyOfObject,
  type MarkKey,
  marksOf,
  objectsOf,
  settle,
  type Settlement,
} from './mark.group';
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
import { Packet, PacketConnections } from './packet-connections';
import type { CounterRow, MarkState, ObjectRef } from './states';

/** What a group's transaction came to: the operations' outcomes and the rows as committed. */
export interface CommittedGroup extends Settlement {
  /** The counters of the group's objects; none for an object that has no row. */
  readonly rows: readonly CounterRow[];
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

const KINDS: readonly MarkKind[] = ['like', 'collect'];
const ATTEMPTS = 8;

/** The SQL of likes and collects. */
@Injectable()
export class MarkRepository {
  constructor(
    private readonly database: Database,
    private readonly connections: PacketConnections,
  ) {}

  /**
   * Carries out a group of operations in one READ COMMITTED transaction of two round trips: the
   * first locks and reads, the second writes, reads the counters and commits. Tables and rows are
   * always locked in the same order. The counters come last, so that no round trip passes while
   * they are locked: they are what other groups, processes and the read counter wait for.
   *
   * @param ready what must have happened before anything is committed; its rejection rolls back
   * @throws a lock timeout when rows stay locked by others; `heldOf` tells which
   */
  async commit(
    operations: readonly MarkOperation[],
    ready: Promise<unknown>,
  ): Promise<CommittedGroup> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(operations, ready);
      } catch (error) {
        // Two transactions that found no row both insert it: the second finds it when run again.
        const isPassing = isContention(error) && !isLockTimeout(error);
        if (!isPassing && !isDuplicateKey(error)) throw error;
        if (attempt === ATTEMPTS)
          throw new UnavailableError('mysql', 'others are at work on the same rows', error);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** attempt));
      }
    }
  }

  private attempt(
    operations: readonly MarkOperation[],
    ready: Promise<unknown>,
  ): Promise<CommittedGroup> {
    const objects = objectsOf(operations).map(tupleOfObject);
    return this.connections.use(async (send) => {
      const find = new Packet();
      find.add('START TRANSACTION');
      const marks = marksOf(operations).map(tupleOfMark);
      const folderIds = foldersOf(operations);
      const folders = folderIds.length > 0 ? find.add(FIND.folders, folderIds) : null;
      const like = find.add(FIND.like, marks);
      const collect = find.add(FIND.collect, marks);
      const counterIds = find.add(FIND.counterIds, objects);
      const found = await send(find);

      const settlement = settle(operations, {
        like: recordsOf(found[like] as MarkRow[]),
        collect: recordsOf(found[collect] as MarkRow[]),
        folders: foldersFound(folders === null ? [] : (found[folders] as FolderRow[])),
      });
      const write = packetOf(settlement, found[counterIds] as CounterIdRow[], Date.now());
      const counters = write.add(FIND.counters, objects);
      write.add('COMMIT');
      await ready;
      const written = await send(write);
      return { ...settlement, rows: (written[counters] as CounterSqlRow[]).map(counterOf) };
    });
  }

  /**
   * Which rows that the operations need are locked by others at the moment, by their `needsOf` names.
   * Rows that others have inserted and not committed are seen too; locked gaps are not.
   */
  async heldOf(operations: readonly MarkOperation[]): Promise<Set<string>> {
    const marks = marksOf(operations).map(tupleOfMark);
    const objects = objectsOf(operations).map(tupleOfObject);
    const folderIds = foldersOf(operations);
    const packet = new Packet();
    packet.add('SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED');
    packet.add('START TRANSACTION');
    const looks = [
      lookAt(packet, PRESENT.like, marks, nameOfMark),
      lookAt(packet, PRESENT.collect, marks, nameOfMark),
      lookAt(packet, PRESENT.counters, objects, nameOfObject),
      folderIds.length > 0 && lookAt(packet, PRESENT.folders, folderIds, nameOfFolder),
    ];
    packet.add('ROLLBACK');
    const results = await this.connections.use((send) => send(packet));
    return new Set(looks.flatMap((heldIn) => (heldIn ? heldIn(results) : [])));
  }

  /** The like and the collect of each of the keys, in their order; version 0 where there is no row. */
  async states(keys: readonly MarkKey[]): Promise<MarkState[]> {
    if (keys.length === 0) return [];
    const marks = keys.map(tupleOfMark);
    const rows = await this.database.bulkRows<MarkRow & { kind: MarkKind }>(STATES, [marks, marks]);
    const found = new Map(rows.map((row) => [row.kind + nameOfMark(row), row]));
    return keys.flatMap(({ uid, biz, bizId }) =>
      KINDS.map((kind) => {
        const row = found.get(kind + keyOfMark({ uid, biz, bizId }));
        return { uid, biz, bizId, kind, on: row?.status === ON, version: row?.version ?? 0 };
      }),
    );
  }
}

interface FolderRow {
  id: number;
  uid: number;
}

interface CounterIdRow extends ObjectRow {
  id: number;
}

const tupleOfMark = ({ uid, biz, bizId }: MarkKey): BulkValue[] => [uid, biz, bizId];
const tupleOfObject = ({ biz, bizId }: ObjectRef): BulkValue[] => [bizId, biz];
const objectOf = (row: ObjectRow): ObjectRef => ({ biz: row.biz, bizId: row.biz_id });

const nameOfMark = (row: MarkRow): string => keyOfMark({ uid: row.uid, ...objectOf(row) });
const nameOfObject = (row: ObjectRow): string => keyOfObject(objectOf(row));
const nameOfFolder = ({ id, uid }: FolderRow): string => keyOfFolder(uid, id);

/** Adds a look at rows to the packet. @returns what reads the names of the locked ones from its results */
function lookAt<Row>(
  packet: Packet,
  present: string,
  keys: BulkValue,
  nameOf: (row: Row) => string,
): (results: readonly unknown[]) => string[] {
  const all = packet.add(present, keys);
  const free = packet.add(lockable(present), keys);
  return (results) => {
    const names = new Set((results[free] as Row[]).map(nameOf));
    return (results[all] as Row[]).map(nameOf).filter((name) => !names.has(name));
  };
}

/** The folders that the operations collect into, in the order in which they are locked. */
function foldersOf(operations: readonly MarkOperation[]): number[] {
  const ids = new Set<number>();
  for (const operation of operations)
    if (operation.kind === 'collect' && operation.on) ids.add(operation.collectionId);
  return [...ids].sort((a, b) => a - b);
}

const foldersFound = (rows: readonly FolderRow[]): FoundMarks['folders'] =>
  new Set(rows.map(nameOfFolder));

const recordsOf = (rows: readonly MarkRow[]): Map<string, MarkRecord> =>
  new Map(
    rows.map((row) => [
      nameOfMark(row),
      { on: row.status === ON, collectionId: row.collection_id, version: row.version },
    ]),
  );

const isTakenBack = ({ like, collect }: CounterDelta): boolean => like < 0 || collect < 0;

/** The statements that bring a settlement into the tables; none where nothing changes. */
function packetOf({ changes, deltas }: Settlement, found: CounterIdRow[], now: number): Packet {
  const packet = new Packet();
  for (const kind of KINDS) {
    const rowsOf = (isNew: boolean): BulkValue[][] =>
      changes[kind]
        .filter((change) => change.isNew === isNew)
        .map(({ uid, biz, bizId, record: { on, collectionId, version } }) => {
          const folder = kind === 'collect' ? [collectionId] : [];
          return [uid, biz, bizId, ...folder, on ? ON : OFF, version, now, now];
        });
    const inserted = rowsOf(true);
    const updated = rowsOf(false);
    if (inserted.length > 0) packet.add(INSERT[kind], inserted);
    if (updated.length > 0) packet.add(UPDATE[kind], updated);
  }
  if (deltas.length > 0) {
    const ids = new Map(found.map((row) => [keyOfObject(objectOf(row)), row.id]));
    const rows = deltas.map(({ biz, bizId, like, collect }) => {
      const id = ids.get(keyOfObject({ biz, bizId })) ?? null;
      return [id, biz, bizId, like, collect, 1, now, now];
    });
    packet.add(COUNT, rows);
    const lost = deltas.filter((delta) => isTakenBack(delta) && !ids.has(keyOfObject(delta)));
    if (lost.length > 0) packet.add(NOT_BELOW_ZERO, lost.map(tupleOfObject));
  }
  return packet;
}
