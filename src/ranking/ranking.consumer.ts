import { Controller } from '@nestjs/common';
import { binlogTopic, ChangeFeed, type RowChange } from '../cdc';
import { interactivesReader } from '../interactive';
import { type MessageBatch, Subscribe } from '../messaging';
import { RankingService } from './ranking.service';

export const RANKING_GROUP = 'ranking';

/** Applies captured changes to the live boards. */
@Controller()
export class RankingConsumer {
  constructor(
    private readonly ranking: RankingService,
    private readonly feed: ChangeFeed,
  ) {}

  @Subscribe(binlogTopic, { group: RANKING_GROUP, batch: { size: 500, lingerMs: 2 } })
  async onChanges(batch: MessageBatch<RowChange[]>): Promise<void> {
    await this.feed.handle(batch, interactivesReader, (changes) =>
      this.ranking.apply(batch, changes),
    );
  }
}
