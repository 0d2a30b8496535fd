import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { BIZ_PATTERN, IsBiz } from '../../../platform/business-object';
import { CursorQuery } from '../../../platform/http';

/** Which part of the list of own likes is asked for. */
export class LikesQuery extends CursorQuery {
  @ApiPropertyOptional({ pattern: BIZ_PATTERN.source, example: 'article' })
  @IsOptional()
  @IsBiz()
  biz?: string;
}
