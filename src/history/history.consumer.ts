import { Controller } from '@nestjs/common';
import { type ArticleRead, articleReadTopic } from '../article';
import { type MessageBatch, Subscribe } from '../messaging';
import { HistoryService } from './history.service';

/** A second group on the read events; neither the producer nor the counting group depends on it. */
@Controller()
export class HistoryConsumer {
  constructor(private readonly history: HistoryService) {}

  @Subscribe(articleReadTopic, { group: 'history', batch: { size: 2_000, lingerMs: 20 } })
  onReads(batch: MessageBatch<ArticleRead>): Promise<void> {
    return this.history.record(batch);
  }
}
