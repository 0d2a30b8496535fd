import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { DecimalNumber } from '../validation';
import { CURSOR_LENGTH, CURSOR_PATTERN } from './schemas';

export const PAGE_LIMIT = 100;

/** Which page of a list to return; lists with their own filters extend it. */
export class CursorQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: PAGE_LIMIT, default: 20 })
  @IsOptional()
  @DecimalNumber()
  @Min(1, { message: 'must be at least 1' })
  @Max(PAGE_LIMIT, { message: `must be at most ${PAGE_LIMIT}` })
  @IsInt({ message: `must be a whole number from 1 to ${PAGE_LIMIT}` })
  limit: number = 20;

  @ApiPropertyOptional({
    pattern: CURSOR_PATTERN.source,
    maxLength: CURSOR_LENGTH,
    description: '`nextCursor` of the previous page; leave it out for the first page',
  })
  @IsOptional()
  @MaxLength(CURSOR_LENGTH, { message: `must be at most ${CURSOR_LENGTH} characters` })
  @IsString({ message: 'must be a single text' })
  cursor?: string;
}
