import { Controller } from '@nestjs/common';
import { binlogTopic, type RowChange } from '../cdc';
import { type MessageBatch, Subscribe } from '../messaging';
import { RankingService } from './ranking.service';

/** Brings what change capture tells into the live boards. */
@Controller()
export class RankingConsumer {
  constructor(private readonly ranking: RankingService) {}

  @Subscribe(binlogTopic, { group: 'ranking', batch: { size: 500, lingerMs: 2 } })
  onChanges(batch: MessageBatch<RowChange[]>): Promise<void> {
    return this.ranking.apply(batch);
  }
}
