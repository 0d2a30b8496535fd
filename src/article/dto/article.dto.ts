import { ApiProperty, OmitType } from '@nestjs/swagger';
import { STATUS_NAMES, type StatusName } from '../article-status';

export class ArticleIdDto {
  @ApiProperty({ type: 'integer', example: 42 })
  id!: number;
}

export class ArticleStatusDto extends ArticleIdDto {
  @ApiProperty({ enum: STATUS_NAMES })
  status!: StatusName;
}

/** The author's copy; times in milliseconds since the epoch. */
export class ArticleDto extends ArticleStatusDto {
  @ApiProperty()
  title!: string;

  @ApiProperty()
  content!: string;

  @ApiProperty({ type: 'integer', description: 'Milliseconds since the epoch' })
  createdAt!: number;

  @ApiProperty({ type: 'integer', description: 'Milliseconds since the epoch' })
  updatedAt!: number;
}

export class ArticleSummaryDto extends OmitType(ArticleDto, ['content']) {}

export class ArticlePageDto {
  @ApiProperty({ type: [ArticleSummaryDto] })
  items!: ArticleSummaryDto[];

  @ApiProperty({ type: 'string', nullable: true, description: 'null on the last page' })
  nextCursor!: string | null;
}
