import { Controller, Logger, type OnModuleDestroy } from '@nestjs/common';
import { binlogTopic, CaptureGaps, type RowChange, type RowImage } from '../cdc';
import { type MessageBatch, Subscribe } from '../messaging';
import { Database } from '../platform/database';
import { InteractiveCache } from './interactive.cache';
import { keyOfObject } from './mark.group';
import type { CounterRow } from './states';

/** Shows in the cache what was committed to `interactives`, whoever wrote it. */
@Controller()
export class CountersConsumer implements OnModuleDestroy {
  private readonly logger = new Logger(CountersConsumer.name);
  private readonly subscription;

  constructor(
    private readonly cache: InteractiveCache,
    private readonly gaps: CaptureGaps,
    private readonly database: Database,
  ) {
    this.subscription = gaps.gaps$.subscribe(({ reason }) => void this.forget(reason));
  }

  onModuleDestroy(): void {
    this.subscription.unsubscribe();
  }

  /** Changes were missed, so that any of the cached counters may be outdated, or its row gone. */
  private async forget(reason: string): Promise<void> {
    try {
      const forgotten = await this.cache.clear();
      this.logger.log(`${forgotten} cached counters are forgotten: ${reason}`);
    } catch (error) {
      this.logger.warn(`the caches keep what they have until it expires: ${String(error)}`);
    }
  }

  @Subscribe(binlogTopic, { group: 'interactive-cache', batch: { size: 500, lingerMs: 2 } })
  async onChanges({ messages }: MessageBatch<RowChange[]>): Promise<void> {
    const schema = await this.database.schema();
    // States are absolute: of an object's changes only the last one counts, and the last deletion.
    const rows = new Map<string, CounterRow>();
    const deleted = new Map<string, CounterRow>();
    for (const { value: changes } of messages)
      for (const { database, table, before: beforeImage, after: afterImage } of changes) {
        // A topic may carry the changes of more schemas than one.
        if (table !== 'interactives' || database !== schema) continue;
        const before = beforeImage && counterOf(beforeImage);
        const after = afterImage && counterOf(afterImage);
        if (before && !(after && isSameRow(before, after))) {
          rows.delete(keyOfObject(before));
          deleted.set(keyOfObject(before), before);
        }
        if (!after) continue;
        const key = keyOfObject(after);
        rows.set(key, after);
        // By its id it is newer than the one that is gone.
        if (after.id > (deleted.get(key)?.id ?? Infinity)) deleted.delete(key);
      }
    await this.cache.capture([...rows.values()], [...deleted.values()]);
    this.gaps.notice(messages);
  }
}

/** Unless an UPDATE gave it to another object, or made it another row of the same. */
const isSameRow = (a: CounterRow, b: CounterRow): boolean =>
  a.id === b.id && keyOfObject(a) === keyOfObject(b);

const counterOf = (image: RowImage): CounterRow => ({
  biz: image.biz ?? '',
  bizId: Number(image.biz_id),
  id: Number(image.id),
  readCnt: Number(image.read_cnt),
  likeCnt: Number(image.like_cnt),
  collectCnt: Number(image.collect_cnt),
  version: Number(image.version ?? 0),
});
