import { Injectable } from '@nestjs/common';
import type { MessageBatch } from '../../messaging';
import { Database } from '../../platform/database';
import { CaptureGaps } from '../capture-gaps';
import { SeenBeats } from '../heartbeat/seen-beats';
import type { RowChange, RowImage } from '../row-change';
import { ColumnReader } from './column-reader';
import type { TableChange, TableReader } from './table-change';

/** What every consumer of captured changes does with a batch, around its own work. */
@Injectable()
export class ChangeFeed {
  constructor(
    private readonly database: Database,
    private readonly gaps: CaptureGaps,
    private readonly beats: SeenBeats,
  ) {}

  /**
   * Calls `work` with the table's changes in their order. It is called for every batch, if need be with
   * an empty list, since a consumer may have to note the batch's offsets. Rewrites are reported after
   * `work` has succeeded, so that no change from before a rewrite is applied after the reload.
   * @throws what `work` throws; Error when a row cannot be read
   */
  async handle<Row>(
    batch: MessageBatch<RowChange[]>,
    reader: TableReader<Row>,
    work: (changes: readonly TableChange<Row>[]) => Promise<void>,
  ): Promise<void> {
    // The topic may contain changes of several schemas.
    const schema = await this.database.schema();
    await work(changesOf(batch, schema, reader));
    this.gaps.notice(batch.messages);
    this.beats.note(batch, schema);
  }
}

function changesOf<Row>(
  { messages }: MessageBatch<RowChange[]>,
  schema: string,
  reader: TableReader<Row>,
): TableChange<Row>[] {
  const tables = new Set(reader.tables);
  const read = (table: string, image: RowImage | null, complement: RowImage | null): Row | null =>
    image && reader.read(new ColumnReader(table, image, complement));
  const changes: TableChange<Row>[] = [];
  for (const { value } of messages)
    for (const { database, table, kind, before, after, position, ordinal } of value) {
      if (kind === 'rewrite' || database !== schema || !tables.has(table)) continue;
      changes.push({
        kind,
        // The image before an update may have only the columns that changed.
        before: read(table, before, after),
        after: read(table, after, null),
        position,
        ordinal,
      });
    }
  return changes;
}
