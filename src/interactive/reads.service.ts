import { Injectable } from '@nestjs/common';
import type { ArticleRead } from '../article';
import { type MessageBatch, OffsetFence } from '../messaging';
import { Database } from '../platform/database';
import { InteractiveRepository, type ReadIncrement } from './interactive.repository';

/** Counts read events, each exactly once whatever the log replays. */
@Injectable()
export class ReadsService {
  constructor(
    private readonly database: Database,
    private readonly fence: OffsetFence,
    private readonly repository: InteractiveRepository,
  ) {}

  /** One transaction for the whole batch: the counters and how far the group has come. */
  async count(batch: MessageBatch<ArticleRead>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const fresh = await this.fence.pass(tx, batch);
      if (fresh.length > 0)
        await this.repository.addReads(tx, sumOf(fresh.map(({ value }) => value)), Date.now());
    });
  }
}

/** How often each object was read. */
export function sumOf(events: readonly ArticleRead[]): ReadIncrement[] {
  // By kind, then by id: no key is put together for each event.
  const kinds = new Map<string, Map<number, number>>();
  for (const { Aid: bizId, Biz: biz = 'article' } of events) {
    let reads = kinds.get(biz);
    if (!reads) kinds.set(biz, (reads = new Map()));
    reads.set(bizId, (reads.get(bizId) ?? 0) + 1);
  }
  return [...kinds].flatMap(([biz, sums]) =>
    [...sums].map(([bizId, reads]) => ({ biz, bizId, reads })),
  );
}
