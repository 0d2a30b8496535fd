import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Matches, Min } from 'class-validator';

/** How much of a board is asked for. */
export class BoardQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 10,
    description: "At most the board's size",
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: "must be a whole number from 1 to the board's size" })
  @Min(1, { message: 'must be at least 1' })
  limit?: number;
}

/** Which boards are asked for together. */
export class BoardsQuery extends BoardQuery {
  @ApiPropertyOptional({ example: 'likes,reads', description: 'All boards when it is left out' })
  @IsOptional()
  @Matches(/^[a-z]+(,[a-z]+){0,15}$/, { message: 'must be names of boards, e.g. likes,reads' })
  boards?: string;
}
