import { type HotStatement, MAX_BIGINT } from '../../platform/database';

/** `status` of a record: set, or taken back. */
export const ON = 1;
export const OFF = 2;

/**
 * The group commit's reads. A row constructor with the primary key forced reads single rows on MySQL
 * and MariaDB alike, whatever the statistics say. A scan would lock rows of other users.
 */
export const FIND = {
  folders: `SELECT id, uid FROM collections FORCE INDEX (PRIMARY)
    WHERE id IN (?) AND name IS NOT NULL LOCK IN SHARE MODE`,
  like: `SELECT uid, biz, biz_id, status, version, NULL AS collection_id
    FROM likes FORCE INDEX (PRIMARY) WHERE (uid, biz, biz_id) IN (?) FOR UPDATE`,
  collect: `SELECT uid, biz, biz_id, status, version, collection_id
    FROM collection_items FORCE INDEX (PRIMARY) WHERE (uid, biz, biz_id) IN (?) FOR UPDATE`,
  counterIds: `SELECT id, biz, biz_id FROM interactives WHERE (biz_id, biz) IN (?)`,
  counters: `SELECT id, biz, biz_id, read_cnt, like_cnt, collect_cnt, version
    FROM interactives WHERE (biz_id, biz) IN (?)`,
} as const;

/** The rows that a group locks, read without a lock: to compare with those that can be locked. */
export const PRESENT = {
  folders: `SELECT id, uid FROM collections FORCE INDEX (PRIMARY) WHERE id IN (?)`,
  like: `SELECT uid, biz, biz_id FROM likes FORCE INDEX (PRIMARY)
    WHERE (uid, biz, biz_id) IN (?)`,
  collect: `SELECT uid, biz, biz_id FROM collection_items FORCE INDEX (PRIMARY)
    WHERE (uid, biz, biz_id) IN (?)`,
  counters: `SELECT biz, biz_id FROM interactives WHERE (biz_id, biz) IN (?)`,
} as const;

/** The rows of a `PRESENT` statement that no other transaction has locked. */
export const lockable = (sql: string): string => `${sql} FOR UPDATE SKIP LOCKED`;

/**
 * New rows are plainly inserted: when another transaction inserted one in between, the duplicate key
 * undoes the group, and its next attempt finds the row. Rows that were found are locked, so their
 * upsert always updates.
 */
export const INSERT = {
  like: 'INSERT INTO likes (uid, biz, biz_id, status, version, ctime, utime) VALUES ?',
  collect: `INSERT INTO collection_items
    (uid, biz, biz_id, collection_id, status, version, ctime, utime) VALUES ?`,
} as const;

export const UPDATE = {
  like: `${INSERT.like} ON DUPLICATE KEY UPDATE
    status = VALUES(status), version = VALUES(version), utime = VALUES(utime)`,
  collect: `${INSERT.collect} ON DUPLICATE KEY UPDATE collection_id = VALUES(collection_id),
    status = VALUES(status), version = VALUES(version), utime = VALUES(utime)`,
} as const;

/** Adds to a counter. One that another program wrote too low or too high stays within 0 and 2^63-1. */
const added = (column: string): string =>
  `GREATEST(0, VALUES(${column}) +
    LEAST(GREATEST(${column}, 0), ${MAX_BIGINT} - GREATEST(VALUES(${column}), 0)))`;

/**
 * Adds to the counters, or inserts them. With the id of an existing row the primary key decides: no
 * auto-increment value is used up, and no gap of the unique index is locked.
 */
export const COUNT = `INSERT INTO interactives
    (id, biz, biz_id, like_cnt, collect_cnt, version, ctime, utime) VALUES ?
  ON DUPLICATE KEY UPDATE like_cnt = ${added('like_cnt')},
    collect_cnt = ${added('collect_cnt')}, version = version + 1,
    utime = VALUES(utime)`;

/** After `COUNT`, for objects whose counters were lost and whose records were taken back. */
export const NOT_BELOW_ZERO = `UPDATE interactives
  SET like_cnt = GREATEST(like_cnt, 0), collect_cnt = GREATEST(collect_cnt, 0)
  WHERE (biz_id, biz) IN (?)`;

/** Both records of users on objects. */
export const STATES = `SELECT 'like' AS kind, uid, biz, biz_id, status, version
    FROM likes FORCE INDEX (PRIMARY) WHERE (uid, biz, biz_id) IN (?)
  UNION ALL SELECT 'collect', uid, biz, biz_id, status, version
    FROM collection_items FORCE INDEX (PRIMARY) WHERE (uid, biz, biz_id) IN (?)`;

const MARKS = [
  [1, 'article', 42],
  [2, 'article', 42],
];
const OBJECTS = [
  [42, 'article'],
  [43, 'article'],
];

export const hotStatements: readonly HotStatement[] = [
  { name: 'group commit: lock folders', sql: FIND.folders, params: [[1, 2]] },
  { name: 'group commit: lock likes', sql: FIND.like, params: [MARKS] },
  { name: 'group commit: lock collects', sql: FIND.collect, params: [MARKS] },
  { name: 'group commit: counter ids', sql: FIND.counterIds, params: [OBJECTS] },
  { name: 'group commit: read counters', sql: FIND.counters, params: [OBJECTS] },
  { name: 'held locks: folders', sql: lockable(PRESENT.folders), params: [[1, 2]] },
  { name: 'held locks: likes', sql: lockable(PRESENT.like), params: [MARKS] },
  { name: 'held locks: collects', sql: lockable(PRESENT.collect), params: [MARKS] },
  { name: 'held locks: counters', sql: lockable(PRESENT.counters), params: [OBJECTS] },
  { name: 'own marks of objects', sql: STATES, params: [MARKS, MARKS] },
];
