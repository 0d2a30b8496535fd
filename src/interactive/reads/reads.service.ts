import { Injectable } from '@nestjs/common';
import type { ArticleRead } from '../../article';
import { type MessageBatch, OffsetFence } from '../../messaging';
import { CountersRepository, type ReadIncrement } from '../counters/counters.repository';

/** Counts read events, each exactly once, even when the log replays them. */
@Injectable()
export class ReadsService {
  constructor(
    private readonly fence: OffsetFence,
    private readonly repository: CountersRepository,
  ) {}

  /** One transaction for the whole batch changes the counters and the group's offset. */
  count(batch: MessageBatch<ArticleRead>): Promise<void> {
    return this.fence.handle(batch, (tx, fresh) =>
      this.repository.addReads(tx, sumOf(fresh.map(({ value }) => value)), Date.now()),
    );
  }
}

/** How often each object was read. */
export function sumOf(events: readonly ArticleRead[]): ReadIncrement[] {
  // Nested by kind and id, which avoids building a key string for each event.
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
