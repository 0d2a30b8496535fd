import { ApiProperty } from '@nestjs/swagger';
import { COUNT_SCHEMA, ID_SCHEMA, TIME_SCHEMA } from '../../platform/http';

export class ArticleCountsDto {
  @ApiProperty(COUNT_SCHEMA)
  readCnt!: number;

  @ApiProperty(COUNT_SCHEMA)
  likeCnt!: number;

  @ApiProperty(COUNT_SCHEMA)
  collectCnt!: number;

  @ApiProperty({ description: 'By the caller; false for an anonymous one' })
  liked!: boolean;

  @ApiProperty({ description: 'By the caller; false for an anonymous one' })
  collected!: boolean;
}

/** An article as readers see it. */
export class PublishedArticleDto {
  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  id!: number;

  @ApiProperty()
  title!: string;

  @ApiProperty()
  content!: string;

  @ApiProperty(ID_SCHEMA)
  authorId!: number;

  @ApiProperty({ ...TIME_SCHEMA, description: 'First published; milliseconds since the epoch' })
  publishedAt!: number;

  @ApiProperty({ type: ArticleCountsDto })
  interactive!: ArticleCountsDto;
}
