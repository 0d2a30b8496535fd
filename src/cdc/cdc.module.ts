import { type DynamicModule, Global, Module } from '@nestjs/common';
import { BinlogServer } from './binlog/binlog-server';
import { CaptureGaps } from './capture-gaps';
import type { CapturedTable } from './captured-table';
import { CapturedTables } from './captured-tables';
import { Relay } from './relay/relay';
import { ChangeFeed } from './table-changes/change-feed';

/** Change capture: the topic of row changes, its consumers' feed, and the relay that replaces Canal. */
@Global()
@Module({})
export class CdcModule {
  /** @param tables the captured tables of every context */
  static register(tables: readonly CapturedTable[]): DynamicModule {
    return {
      module: CdcModule,
      providers: [
        { provide: CapturedTables, useValue: new CapturedTables(tables) },
        CaptureGaps,
        ChangeFeed,
        BinlogServer,
        Relay,
      ],
      exports: [CapturedTables, CaptureGaps, ChangeFeed],
    };
  }
}
