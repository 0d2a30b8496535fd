import { Controller } from '@nestjs/common';
import { binlogTopic, type RowChange, type RowImage } from '../cdc';
import { type MessageBatch, Subscribe } from '../messaging';
import { InteractiveCache } from './interactive.cache';
import { keyOfObject } from './mark.group';
import type { CounterRow } from './states';

/** Shows in the cache what was committed to `interactives`, whoever wrote it. */
@Controller()
export class CountersConsumer {
  constructor(private readonly cache: InteractiveCache) {}

  @Subscribe(binlogTopic, { group: 'interactive-cache', batch: { size: 500, lingerMs: 2 } })
  async onChanges({ messages }: MessageBatch<RowChange[]>): Promise<void> {
    // States are absolute: of a row's changes only the last one counts.
    const rows = new Map<string, CounterRow>();
    const deleted = new Map<string, CounterRow>();
    for (const { value: changes } of messages)
      for (const { table, before, after } of changes) {
        if (table !== 'interactives') continue;
        const image = after ?? before;
        if (!image) continue;
        const row = counterOf(image);
        const key = keyOfObject(row);
        rows.delete(key);
        deleted.delete(key);
        (after ? rows : deleted).set(key, row);
      }
    await Promise.all([
      this.cache.apply([...rows.values()]),
      ...[...deleted.values()].map((row) => this.cache.applyDeletion(row, row.version)),
    ]);
  }
}

const counterOf = (image: RowImage): CounterRow => ({
  biz: image.biz ?? '',
  bizId: Number(image.biz_id),
  readCnt: Number(image.read_cnt),
  likeCnt: Number(image.like_cnt),
  collectCnt: Number(image.collect_cnt),
  version: Number(image.version ?? 0),
});
