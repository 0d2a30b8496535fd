import { Injectable } from '@nestjs/common';
import { Database, type HotStatement, isDuplicateKey } from '../platform/database';
import { type MarkPosition, newestFirst } from './keyset';
import { ON } from './mark.statements';
import type { ObjectRef } from './states';

export interface Folder {
  readonly id: number;
  readonly name: string;
  /** How many objects are in it, counted anew. */
  readonly itemCount: number;
}

export interface CollectedRow extends ObjectRef {
  /** Milliseconds since the epoch at which it came into this folder. */
  readonly collectedAt: number;
}

/** A folder whose deletion has begun and not ended. */
export interface DyingFolder {
  readonly id: number;
  readonly uid: number;
}

const FOLDER = `SELECT c.id, c.name,
    (SELECT COUNT(*) FROM collection_items i FORCE INDEX (idx_collection_items_folder)
      WHERE i.collection_id = c.id AND i.status = ${ON}) AS itemCount
  FROM collections c`;
const LIST = `${FOLDER} FORCE INDEX (idx_collections_owner)
  WHERE c.uid = ? AND c.id > ? AND c.name IS NOT NULL ORDER BY c.id LIMIT ?`;
const ONE = `${FOLDER} WHERE c.id = ? AND c.uid = ? AND c.name IS NOT NULL`;
const DEFAULT = 'SELECT id FROM collections WHERE default_of = ?';
const ITEMS = `SELECT biz, biz_id, utime
  FROM collection_items FORCE INDEX (idx_collection_items_folder)
  WHERE collection_id = ? AND status = ${ON}`;
const DYING = 'SELECT id, uid FROM collections WHERE name IS NULL LIMIT ?';

/** The SQL of folders. What is in them changes through the group commit alone. */
@Injectable()
export class CollectionsRepository {
  constructor(private readonly database: Database) {}

  /** The user's folders in the order in which they were made, after `afterId`. */
  list(uid: number, afterId: number, limit: number): Promise<Folder[]> {
    return this.database.bulkRows<Folder>(LIST, [uid, afterId, limit]);
  }

  async find(uid: number, id: number): Promise<Folder | null> {
    const [folder] = await this.database.bulkRows<Folder>(ONE, [id, uid]);
    return folder ?? null;
  }

  /** @returns the new folder's id, or null when the user has one of that name */
  async create(uid: number, name: string): Promise<number | null> {
    const now = Date.now();
    return this.unlessTaken(async () => {
      const { insertId } = await this.database.change(
        'INSERT INTO collections (uid, name, ctime, utime) VALUES (?, ?, ?, ?)',
        [uid, name, now, now],
      );
      return insertId;
    });
  }

  /** @returns false when the user has another folder of that name */
  async rename(uid: number, id: number, name: string): Promise<boolean> {
    const renamed = await this.unlessTaken(() =>
      this.database.change(
        'UPDATE collections SET name = ?, utime = ? WHERE id = ? AND uid = ? AND name IS NOT NULL',
        [name, Date.now(), id, uid],
      ),
    );
    return renamed !== null;
  }

  async defaultId(uid: number): Promise<number | null> {
    const [row] = await this.database.bulkRows<{ id: number }>(DEFAULT, [uid]);
    return row?.id ?? null;
  }

  /** Makes the user's default folder; one that has its name already becomes it. */
  async createDefault(uid: number, name: string): Promise<void> {
    const now = Date.now();
    // A duplicate key even so: another request was faster, and with it there is a default folder.
    await this.unlessTaken(() =>
      this.database.change(
        `INSERT INTO collections (uid, name, default_of, ctime, utime) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE default_of = VALUES(default_of)`,
        [uid, name, uid, now, now],
      ),
    );
  }

  /**
   * Takes the folder out of everybody's sight and frees its name. Waits for groups that are putting
   * something into it; none does from then on.
   * @returns false when there is no such folder, nor one whose deletion has begun
   */
  async beginDeletion(uid: number, id: number): Promise<boolean> {
    const { affectedRows } = await this.database.change(
      `UPDATE collections SET name = NULL, default_of = NULL, utime = ?
       WHERE id = ? AND uid = ? AND name IS NOT NULL`,
      [Date.now(), id, uid],
    );
    if (affectedRows > 0) return true;
    const rows = await this.database.bulkRows(
      'SELECT id FROM collections WHERE id = ? AND uid = ? AND name IS NULL',
      [id, uid],
    );
    return rows.length > 0;
  }

  /** Removes a folder that `beginDeletion` took away and that is empty by now. */
  async endDeletion(id: number): Promise<void> {
    await this.database.change('DELETE FROM collections WHERE id = ? AND name IS NULL', [id]);
  }

  /** Folders whose deletion was cut short, or is under way. */
  dying(limit: number): Promise<DyingFolder[]> {
    return this.database.bulkRows<DyingFolder>(DYING, [limit]);
  }

  /** What is in the folder, newest first, after `position`. */
  async items(id: number, position: MarkPosition | null, limit: number): Promise<CollectedRow[]> {
    const page = newestFirst(position, limit);
    const rows = await this.database.bulkRows<{ biz: string; biz_id: number; utime: number }>(
      `${ITEMS} ${page.sql}`,
      [id, ...page.values],
    );
    return rows.map((row) => ({ biz: row.biz, bizId: row.biz_id, collectedAt: row.utime }));
  }

  private async unlessTaken<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }
}

const page = newestFirst([Date.UTC(2026, 0), 'article', 42], 21);

export const hotStatements: readonly HotStatement[] = [
  { name: 'own folders with their item counts', sql: LIST, params: [1, 0, 21] },
  { name: 'one folder', sql: ONE, params: [1, 1] },
  { name: 'default folder', sql: DEFAULT, params: [1] },
  {
    name: 'items of a folder, first page',
    sql: `${ITEMS} ${newestFirst(null, 21).sql}`,
    params: [1, 21],
  },
  {
    name: 'items of a folder, next page',
    sql: `${ITEMS} ${page.sql}`,
    params: [1, ...page.values],
  },
  { name: 'folders being deleted', sql: DYING, params: [100] },
];
