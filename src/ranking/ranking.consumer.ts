import { Controller } from '@nestjs/common';
import { binlogTopic, CaptureGaps, type RowChange } from '../cdc';
import { type MessageBatch, Subscribe } from '../messaging';
import { Database } from '../platform/database';
import { RankingService } from './ranking.service';

/** Brings what change capture tells into the live boards. */
@Controller()
export class RankingConsumer {
  constructor(
    private readonly ranking: RankingService,
    private readonly gaps: CaptureGaps,
    private readonly database: Database,
  ) {}

  @Subscribe(binlogTopic, { group: 'ranking', batch: { size: 500, lingerMs: 2 } })
  async onChanges(batch: MessageBatch<RowChange[]>): Promise<void> {
    await this.ranking.apply(batch, await this.database.schema());
    this.gaps.notice(batch.messages);
  }
}
