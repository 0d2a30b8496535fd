import { type DynamicModule, Global, Module } from '@nestjs/common';
import { BinlogServer } from './binlog/binlog-server';
import { BinlogSettings } from './binlog/binlog-settings';
import { CaptureGaps } from './capture-gaps';
import type { CapturedTable } from './captured-table';
import { CapturedTables } from './captured-tables';
import { CaptureWatch } from './heartbeat/capture-watch';
import { HeartbeatRepository } from './heartbeat/heartbeat.repository';
import { SeenBeats } from './heartbeat/seen-beats';
import { SeenBeatsCache } from './heartbeat/seen-beats.cache';
import { Relay } from './relay/relay';
import { ChangeFeed } from './table-changes/change-feed';

/**
 * Change capture: the topic of row changes, its consumers' feed, the relay that replaces Canal, and the
 * heartbeat that shows whether changes arrive.
 */
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
        HeartbeatRepository,
        SeenBeats,
        SeenBeatsCache,
        CaptureWatch,
        BinlogServer,
        BinlogSettings,
        Relay,
      ],
      exports: [CapturedTables, CaptureGaps, CaptureWatch, ChangeFeed],
    };
  }
}
