import { Controller } from '@nestjs/common';
import { type ArticleRead, articleReadTopic } from '../../article';
import { type MessageBatch, Subscribe } from '../../messaging';
import { READS_GROUP } from './reads-batch.consumer';
import { ReadsService } from './reads.service';

/** Counts one read event at a time; runs with `READ_CONSUMER=single`. */
@Controller()
export class ReadsSingleConsumer {
  constructor(private readonly reads: ReadsService) {}

  @Subscribe(articleReadTopic, { group: READS_GROUP })
  onRead(batch: MessageBatch<ArticleRead>): Promise<void> {
    return this.reads.count(batch);
  }
}
