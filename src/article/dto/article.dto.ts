import { ApiProperty, OmitType } from '@nestjs/swagger';
import { STATUS_NAMES, type StatusName } from '../article-status';
import { ID_SCHEMA, NEXT_CURSOR_SCHEMA, TIME_SCHEMA } from '../../platform/http';

export class ArticleIdDto {
  @ApiProperty({ ...ID_SCHEMA, example: 42 })
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

  @ApiProperty(TIME_SCHEMA)
  createdAt!: number;

  @ApiProperty(TIME_SCHEMA)
  updatedAt!: number;
}

export class ArticleSummaryDto extends OmitType(ArticleDto, ['content']) {}

export class ArticlePageDto {
  @ApiProperty({ type: [ArticleSummaryDto] })
  items!: ArticleSummaryDto[];

  @ApiProperty(NEXT_CURSOR_SCHEMA)
  nextCursor!: string | null;
}
