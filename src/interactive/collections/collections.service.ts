import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ObjectRef } from '../../platform/business-object';
import { type CursorQuery, decodeCursor, type Page, pageOf } from '../../platform/http';
import { Singleflight } from '../../platform/loading';
import { waitAtMost } from '../../platform/timing';
import { CollectionNotFoundError } from '../marks/mark.errors';
import { MarkWriter } from '../marks/mark.writer';
import { PublishedObjects } from '../marks/published-objects';
import type { ObjectState } from '../model/object-state';
import { CollectionNameTakenError } from './collections.errors';
import { type CollectedRow, CollectionsRepository, type Folder } from './collections.repository';

/** What the cursors of the list of folders are bound to. */
const FOLDERS = 'collections';

const DEFAULT_NAME = 'Default';
/** How often the default folder may be deleted between its lookup and its use. */
const DEFAULT_ATTEMPTS = 5;
/** Objects that a folder's deletion takes out together: about one group of the writer. */
const DELETION_CHUNK = 256;
/** How long a request waits for a deletion; a longer one goes on in the background. */
const DELETION_ANSWER_MS = 2_000;

/** Folders, and the objects collected in them. */
@Injectable()
export class CollectionsService implements OnModuleDestroy {
  private readonly logger = new Logger(CollectionsService.name);
  /** Ids of default folders. Only a hint: the group commit checks that the folder exists. */
  private readonly defaults = new LRUCache<number, number>({ max: 50_000 });
  private readonly lookups = new Singleflight<number>();
  private readonly deletions = new Singleflight<void>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly repository: CollectionsRepository,
    private readonly writer: MarkWriter,
    private readonly published: PublishedObjects,
  ) {}

  /**
   * Puts an object into a folder, or moves it there from another one. Without `collectionId`, that is the
   * default folder, which is created when there is none.
   * @returns the object's state right after it
   * @throws ArticleNotFoundError, CollectionNotFoundError (404): nothing has changed
   */
  async collect(uid: number, object: ObjectRef, collectionId?: number): Promise<ObjectState> {
    await this.published.require(object);
    if (collectionId !== undefined) return this.put(uid, object, collectionId);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.put(uid, object, await this.defaultFolder(uid));
      } catch (error) {
        if (!(error instanceof CollectionNotFoundError) || attempt === DEFAULT_ATTEMPTS)
          throw error;
        this.defaults.delete(uid);
      }
    }
  }

  /** @returns the object's state right after it */
  async uncollect(uid: number, object: ObjectRef): Promise<ObjectState> {
    await this.published.require(object);
    return this.writer.write({ kind: 'collect', uid, ...object, on: false });
  }

  /** The user's folders in the order of their creation. */
  async list(uid: number, { cursor, limit }: CursorQuery): Promise<Page<Folder>> {
    const [afterId] = decodeCursor(FOLDERS, cursor, ['number']) ?? [0];
    const folders = await this.repository.list(uid, afterId, limit + 1);
    return pageOf(
      FOLDERS,
      folders,
      limit,
      (folder) => [folder.id],
      (folder) => folder,
    );
  }

  /** @throws CollectionNameTakenError (409) */
  async create(uid: number, name: string): Promise<Folder> {
    const id = await this.repository.create(uid, name);
    if (id === null) throw new CollectionNameTakenError(name);
    return { id, name, itemCount: 0 };
  }

  /** @throws CollectionNotFoundError (404), CollectionNameTakenError (409) */
  async rename(uid: number, id: number, name: string): Promise<Folder> {
    if (!(await this.repository.rename(uid, id, name))) throw new CollectionNameTakenError(name);
    return this.require(uid, id);
  }

  /** @throws CollectionNotFoundError (404) */
  async items(
    uid: number,
    id: number,
    { cursor, limit }: CursorQuery,
  ): Promise<Page<CollectedRow>> {
    const list = `collection ${id}`;
    const position = decodeCursor(list, cursor, ['number', 'string', 'number']);
    await this.require(uid, id);
    const rows = await this.repository.items(id, position, limit + 1);
    return pageOf(
      list,
      rows,
      limit,
      (row) => [row.collectedAt, row.biz, row.bizId],
      (row) => row,
    );
  }

  /**
   * Deletes a folder and un-collects what is in it, chunk by chunk. The folder is hidden from the
   * start. The call waits two seconds at most; then the deletion goes on in the background. When a crash
   * or an outage interrupts it, a repeated call or the scheduler finishes it.
   * @throws CollectionNotFoundError (404)
   */
  async delete(uid: number, id: number): Promise<void> {
    if (!(await this.repository.beginDeletion(uid, id))) throw new CollectionNotFoundError(id);
    await waitAtMost(DELETION_ANSWER_MS, this.finishDeletion(uid, id), (error) =>
      this.logger.warn(`The deleted folder ${id} is not emptied yet: ${String(error)}`),
    );
  }

  /** Empties a folder whose deletion has begun, and removes it. Other instances may do so too. */
  finishDeletion(uid: number, id: number): Promise<void> {
    return this.deletions.run(String(id), () => this.emptyAndRemove(uid, id));
  }

  /** The scheduler of a running instance finishes what is left. */
  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private async emptyAndRemove(uid: number, id: number): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const items = await this.repository.items(id, null, DELETION_CHUNK);
      if (items.length === 0) return this.repository.endDeletion(id);
      await Promise.all(
        items.map(({ biz, bizId }) =>
          // An object that its user has moved to another folder meanwhile stays collected.
          this.writer.write({ kind: 'collect', uid, biz, bizId, on: false, onlyFrom: id }),
        ),
      );
    }
  }

  private put(uid: number, object: ObjectRef, collectionId: number): Promise<ObjectState> {
    return this.writer.write({ kind: 'collect', uid, ...object, on: true, collectionId });
  }

  private async require(uid: number, id: number): Promise<Folder> {
    const folder = await this.repository.find(uid, id);
    if (!folder) throw new CollectionNotFoundError(id);
    return folder;
  }

  private async defaultFolder(uid: number): Promise<number> {
    const known = this.defaults.get(uid);
    if (known !== undefined) return known;
    return this.lookups.run(String(uid), async () => {
      let id = await this.repository.defaultId(uid);
      while (id === null) {
        await this.repository.createDefault(uid, DEFAULT_NAME);
        id = await this.repository.defaultId(uid);
      }
      this.defaults.set(uid, id);
      return id;
    });
  }
}
