import { Injectable } from '@nestjs/common';
import type { MessageBatch } from '../../messaging';
import { Database } from '../../platform/database';
import { rewrittenTables } from '../binlog/rewritten-tables';
import { CaptureGaps } from '../capture-gaps';
import { SeenBeats } from '../heartbeat/seen-beats';
import type { RowChange, RowImage } from '../row-change';
import { unreadableChanges } from './change-feed.metrics';
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
   * an empty list, since a consumer may have to note the batch's offsets. Rewrites, and changes that
   * `reader` cannot read, are reported as a gap after `work` has succeeded, so that no change from
   * before them is applied after the reload.
   * @throws what `work` throws
   */
  async handle<Row>(
    batch: MessageBatch<RowChange[]>,
    reader: TableReader<Row>,
    work: (changes: readonly TableChange<Row>[]) => Promise<void>,
  ): Promise<void> {
    // The topic may contain changes of several schemas.
    const schema = await this.database.schema();
    const { changes, gaps } = read(batch, schema, reader);
    await work(changes);
    for (const gap of gaps) this.gaps.report(gap);
    this.beats.note(batch, schema);
  }
}

function read<Row>(
  { messages, group }: MessageBatch<RowChange[]>,
  schema: string,
  reader: TableReader<Row>,
): { changes: TableChange<Row>[]; gaps: string[] } {
  const tables = new Set(reader.tables);
  const rowOf = (table: string, image: RowImage | null, complement: RowImage | null): Row | null =>
    image && reader.read(new ColumnReader(table, image, complement));
  const changes: TableChange<Row>[] = [];
  const gaps: string[] = [];
  for (const { value } of messages)
    for (const change of value) {
      const { database, table, kind, before, after, position, ordinal, cause = '' } = change;
      if (kind === 'rewrite') {
        // Whatever its schema: for a statement on several tables Canal names only one of them.
        const rows = `rows of ${table || 'any table'} may have changed`;
        gaps.push(cause ? `${rows}: ${shortened(cause)}` : `${rows} by DDL`);
        continue;
      }
      if (kind === 'statement') {
        if (rewrittenTables(cause, database, schema, reader.tables).length > 0)
          gaps.push(`rows may have been changed by ${shortened(cause)}`);
        continue;
      }
      if (database !== schema || !tables.has(table)) continue;
      try {
        changes.push({
          kind,
          // The image before an update may have only the columns that changed.
          before: rowOf(table, before, after),
          after: rowOf(table, after, null),
          position,
          ordinal,
        });
      } catch (error) {
        // Reading depends on the change only: it would fail again, and its neighbours are good.
        unreadableChanges.inc({ group, table });
        const place = position && ` at ${position.file}:${position.offset}`;
        gaps.push(`a change${place ?? ''} cannot be read: ${(error as Error).message}`);
      }
    }
  return { changes, gaps };
}

/** Characters of a statement in a message. */
const SHOWN = 200;

const shortened = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
