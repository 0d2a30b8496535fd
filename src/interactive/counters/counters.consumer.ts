import { Controller, Logger, type OnModuleDestroy } from '@nestjs/common';
import {
  binlogTopic,
  CaptureGaps,
  CaptureWatch,
  ChangeFeed,
  foldByRow,
  type RowChange,
  type TableChange,
} from '../../cdc';
import { filter } from 'rxjs';
import { type MessageBatch, Subscribe } from '../../messaging';
import { keyOfObject } from '../../platform/business-object';
import { COUNTERS_GROUP, CountersCache } from '../cache/counters.cache';
import type { CounterRow } from '../model/counter-row';
import { interactivesReader } from './interactives.table';

/**
 * Between two drops of all cached counters while change capture stands. One drop is not enough: another
 * instance may not know yet that it stands.
 */
const DROP_INTERVAL_MS = 10_000;

/** Shows in the cache what was committed to `interactives`, by this program or by others. */
@Controller()
export class CountersConsumer implements OnModuleDestroy {
  private readonly logger = new Logger(CountersConsumer.name);
  private readonly subscriptions;

  constructor(
    private readonly cache: CountersCache,
    private readonly feed: ChangeFeed,
    gaps: CaptureGaps,
    watch: CaptureWatch,
  ) {
    this.subscriptions = [
      gaps.gaps$.subscribe(({ reason }) => void this.forget(reason)),
      watch.standing$
        .pipe(filter((group) => group === COUNTERS_GROUP))
        .subscribe(() => void this.forgetInTurn()),
    ];
  }

  onModuleDestroy(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private async forgetInTurn(): Promise<void> {
    // Without Redis no cached counter is read.
    const isOwn = await this.cache.takeTurnToDrop(DROP_INTERVAL_MS).catch(() => false);
    if (isOwn) await this.forget('change capture stands');
  }

  /** Changes were missed: any of the cached counters may be outdated, or its row deleted. */
  private async forget(reason: string): Promise<void> {
    try {
      const forgotten = await this.cache.clear();
      this.logger.log(`${forgotten} cached counters were dropped: ${reason}`);
    } catch (error) {
      this.logger.warn(
        `cached counters could not be dropped, and stay until they expire: ${String(error)}`,
      );
    }
  }

  @Subscribe(binlogTopic, { group: COUNTERS_GROUP, batch: { size: 500, lingerMs: 2 } })
  async onChanges(batch: MessageBatch<RowChange[]>): Promise<void> {
    await this.feed.handle(batch, interactivesReader, async (changes) => {
      if (changes.length === 0) return;
      const { rows, deleted } = lastStates(changes);
      await this.cache.capture(rows, deleted);
    });
  }
}

/** An object may have had several rows, and an update may have given a row to another object. */
const keyOfRow = (row: CounterRow): string => `${row.id}:${keyOfObject(row)}`;

/** The last state of each object, and the last of its rows that were deleted before that state. */
function lastStates(changes: readonly TableChange<CounterRow>[]): {
  rows: CounterRow[];
  deleted: CounterRow[];
} {
  const rows = new Map<string, CounterRow>();
  const deleted = new Map<string, CounterRow>();
  for (const row of foldByRow(changes, keyOfRow)) {
    if (row.deleted) {
      const object = keyOfObject(row.deleted);
      rows.delete(object);
      // By its id it is the object's newest row that is gone.
      if (row.deleted.id >= (deleted.get(object)?.id ?? -Infinity))
        deleted.set(object, row.deleted);
    }
    if (!row.after) continue;
    const object = keyOfObject(row.after);
    rows.set(object, row.after);
    // By its id it is newer than the row that is gone.
    if (row.after.id > (deleted.get(object)?.id ?? Infinity)) deleted.delete(object);
  }
  return { rows: [...rows.values()], deleted: [...deleted.values()] };
}
