import type { CapturedTable, TableReader } from '../../cdc';
import type { CounterRow } from '../model/counter-row';

export type { CounterRow };

export const interactivesTable: CapturedTable = { name: 'interactives', hashColumn: 'biz_id' };

/** Reads captured rows of `interactives`. */
export const interactivesReader: TableReader<CounterRow> = {
  tables: [interactivesTable.name],
  read: (columns) => ({
    id: columns.integer('id'),
    bizId: columns.integer('biz_id'),
    biz: columns.text('biz'),
    readCnt: columns.integer('read_cnt'),
    likeCnt: columns.integer('like_cnt'),
    collectCnt: columns.integer('collect_cnt'),
    // A table of another program may lack it.
    version: columns.integer('version', 0),
  }),
};
