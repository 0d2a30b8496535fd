import { Module } from '@nestjs/common';
import { ArticleModule } from '../article';
import { InteractiveModule } from '../interactive';
import { ReaderController } from './reader.controller';

/** What readers see of articles. It stands above articles and counters, which do not know it. */
@Module({
  imports: [ArticleModule, InteractiveModule],
  controllers: [ReaderController],
})
export class ReaderModule {}
