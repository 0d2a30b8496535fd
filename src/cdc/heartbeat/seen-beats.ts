import { Injectable } from '@nestjs/common';
import type { MessageBatch } from '../../messaging';
import type { RowChange } from '../row-change';
import { captureHeartbeatsTable } from './capture-heartbeats.table';

/** Names a partition of a captured server, as one consumer group reads it. */
export const placeOf = (group: string, source: string, partition: number): string =>
  `${group}:${source}:${partition}`;

/** The newest beats that this process has handled, by place. */
@Injectable()
export class SeenBeats {
  /** Those that the other processes do not know yet. */
  readonly unsaved = new Map<string, number>();

  /** Call it when the batch has been handled. */
  note({ group, partition, messages }: MessageBatch<RowChange[]>, schema: string): void {
    for (const { value: changes } of messages)
      for (const { database, table, after } of changes) {
        if (table !== captureHeartbeatsTable.name || database !== schema) continue;
        const at = Number(after?.beat_at);
        const source = after?.source;
        if (source && Number.isSafeInteger(at))
          this.unsaved.set(placeOf(group, source, partition), at);
      }
  }
}
