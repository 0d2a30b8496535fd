import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { DecimalNumber } from '../decimal-number.decorator';

export const PAGE_LIMIT = 100;

/** Which part of a list is asked for; lists with filters of their own extend it. */
export class CursorQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: PAGE_LIMIT, default: 20 })
  @IsOptional()
  @DecimalNumber()
  @Min(1, { message: 'must be at least 1' })
  @Max(PAGE_LIMIT, { message: `must be at most ${PAGE_LIMIT}` })
  @IsInt({ message: `must be a whole number from 1 to ${PAGE_LIMIT}` })
  limit: number = 20;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before; the first page without' })
  @IsOptional()
  @MaxLength(512, { message: 'must be at most 512 characters' })
  @IsString({ message: 'must be one text' })
  cursor?: string;
}
