import { Global, Module } from '@nestjs/common';
import { CaptureGaps } from './capture-gaps';
import { Relay } from './relay';
import { RelayRepository } from './relay.repository';

@Global()
@Module({
  providers: [CaptureGaps, RelayRepository, Relay],
  exports: [CaptureGaps],
})
export class CdcModule {}
