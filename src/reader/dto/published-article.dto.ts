import { ApiProperty } from '@nestjs/swagger';

export class ArticleCountsDto {
  @ApiProperty({ type: 'integer' })
  readCnt!: number;

  @ApiProperty({ type: 'integer' })
  likeCnt!: number;

  @ApiProperty({ type: 'integer' })
  collectCnt!: number;

  @ApiProperty({ description: 'By the caller; false for an anonymous one' })
  liked!: boolean;

  @ApiProperty({ description: 'By the caller; false for an anonymous one' })
  collected!: boolean;
}

/** An article as readers see it. */
export class PublishedArticleDto {
  @ApiProperty({ type: 'integer', example: 42 })
  id!: number;

  @ApiProperty()
  title!: string;

  @ApiProperty()
  content!: string;

  @ApiProperty({ type: 'integer' })
  authorId!: number;

  @ApiProperty({ type: 'integer', description: 'First published; milliseconds since the epoch' })
  publishedAt!: number;

  @ApiProperty({ type: ArticleCountsDto })
  interactive!: ArticleCountsDto;
}
