import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Matches, Min } from 'class-validator';
import { DecimalNumber } from '../../platform/validation';

/** How much of a board is asked for. */
export class BoardQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 10,
    description: "At most the board's size",
  })
  @IsOptional()
  @DecimalNumber()
  @Min(1, { message: 'must be at least 1' })
  @IsInt({ message: "must be a whole number from 1 to the board's size" })
  limit?: number;
}

const BOARDS = /^[a-z]+(,[a-z]+){0,15}$/;

/** Which boards are asked for together. */
export class BoardsQuery extends BoardQuery {
  @ApiPropertyOptional({
    pattern: BOARDS.source,
    example: 'likes,reads',
    description: 'All boards when it is left out',
  })
  @IsOptional()
  @Matches(BOARDS, { message: 'must be names of boards, e.g. likes,reads' })
  boards?: string;
}
