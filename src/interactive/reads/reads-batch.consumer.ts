import { Controller } from '@nestjs/common';
import { type ArticleRead, articleReadTopic } from '../../article';
import { type MessageBatch, Subscribe } from '../../messaging';
import { ReadsService } from './reads.service';

export const READS_GROUP = 'interactive';

/** Counts many read events in one transaction; runs with `READ_CONSUMER=batch`. */
@Controller()
export class ReadsBatchConsumer {
  constructor(private readonly reads: ReadsService) {}

  @Subscribe(articleReadTopic, { group: READS_GROUP, batch: { size: 10_000, lingerMs: 10 } })
  onReads(batch: MessageBatch<ArticleRead>): Promise<void> {
    return this.reads.count(batch);
  }
}
