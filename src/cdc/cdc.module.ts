import { Global, Module } from '@nestjs/common';
import { BinlogServer } from './binlog-server';
import { CaptureGaps } from './capture-gaps';
import { Relay } from './relay';

/** Change capture: the topic of row changes, and the relay that fills it when Canal does not. */
@Global()
@Module({
  providers: [CaptureGaps, BinlogServer, Relay],
  exports: [CaptureGaps],
})
export class CdcModule {}
