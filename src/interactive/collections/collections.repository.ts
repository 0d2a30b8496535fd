import { Injectable } from '@nestjs/common';
import type { ObjectRef } from '../../platform/business-object';
import { Database, type HotStatement, isDuplicateKey, newestFirst } from '../../platform/database';
import { ON } from '../marks/mark.statements';

export interface Folder {
  readonly id: number;
  readonly name: string;
  /** How many objects are in it, counted at each read. */
  readonly itemCount: number;
}

export interface CollectedRow extends ObjectRef {
  /** When it was put into this folder, in milliseconds since the epoch. */
  readonly collectedAt: number;
}

/** The sort columns of the last item that was shown. */
export type ItemPosition = readonly [collectedAt: number, biz: string, bizId: number];

/** A folder whose deletion has begun and not ended. */
export interface DeletingFolder {
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
const DELETING = 'SELECT id, uid FROM collections WHERE name IS NULL LIMIT ?';

const pageOf = (position: ItemPosition | null, limit: number) =>
  newestFirst(['utime', 'biz', 'biz_id'], position, limit);

/** The SQL of folders. Only the group commit changes what is in them. */
@Injectable()
export class CollectionsRepository {
  constructor(private readonly database: Database) {}

  /** The user's folders in the order of their creation, after `afterId`. */
  list(uid: number, afterId: number, limit: number): Promise<Folder[]> {
    return this.database.queryRows<Folder>(LIST, [uid, afterId, limit]);
  }

  async find(uid: number, id: number): Promise<Folder | null> {
    const [folder] = await this.database.queryRows<Folder>(ONE, [id, uid]);
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
    const [row] = await this.database.queryRows<{ id: number }>(DEFAULT, [uid]);
    return row?.id ?? null;
  }

  /** Creates the user's default folder; a folder that already has its name becomes the default. */
  async createDefault(uid: number, name: string): Promise<void> {
    const now = Date.now();
    // A duplicate key all the same: another request was faster, so there is a default folder now.
    await this.unlessTaken(() =>
      this.database.change(
        `INSERT INTO collections (uid, name, default_of, ctime, utime) VALUES (?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE default_of = VALUES(default_of)`,
        [uid, name, uid, now, now],
      ),
    );
  }

  /**
   * Hides the folder and frees its name. Waits for groups that are putting objects into it; no group
   * does so afterwards.
   * @returns false when there is no such folder, nor one whose deletion has begun
   */
  async beginDeletion(uid: number, id: number): Promise<boolean> {
    const { affectedRows } = await this.database.change(
      `UPDATE collections SET name = NULL, default_of = NULL, utime = ?
       WHERE id = ? AND uid = ? AND name IS NOT NULL`,
      [Date.now(), id, uid],
    );
    if (affectedRows > 0) return true;
    const rows = await this.database.queryRows(
      'SELECT id FROM collections WHERE id = ? AND uid = ? AND name IS NULL',
      [id, uid],
    );
    return rows.length > 0;
  }

  /** Removes a folder after `beginDeletion`, once it is empty. */
  async endDeletion(id: number): Promise<void> {
    await this.database.change('DELETE FROM collections WHERE id = ? AND name IS NULL', [id]);
  }

  /** Folders whose deletion was interrupted, or is under way. */
  deleting(limit: number): Promise<DeletingFolder[]> {
    return this.database.queryRows<DeletingFolder>(DELETING, [limit]);
  }

  /** What is in the folder, newest first, after `position`. */
  async items(id: number, position: ItemPosition | null, limit: number): Promise<CollectedRow[]> {
    const page = pageOf(position, limit);
    const rows = await this.database.queryRows<{ biz: string; biz_id: number; utime: number }>(
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

const page = pageOf([Date.UTC(2026, 0), 'article', 42], 21);

export const hotStatements: readonly HotStatement[] = [
  { name: 'own folders with their item counts', sql: LIST, params: [1, 0, 21] },
  { name: 'one folder', sql: ONE, params: [1, 1] },
  { name: 'default folder', sql: DEFAULT, params: [1] },
  {
    name: 'items of a folder, first page',
    sql: `${ITEMS} ${pageOf(null, 21).sql}`,
    params: [1, 21],
  },
  {
    name: 'items of a folder, next page',
    sql: `${ITEMS} ${page.sql}`,
    params: [1, ...page.values],
  },
  { name: 'folders being deleted', sql: DELETING, params: [100] },
];
