import { ApiProperty } from '@nestjs/swagger';

/** A row of a board; its names are those of the table's columns. */
export class RankedRowDto {
  @ApiProperty({ type: 'integer', example: 78 })
  id!: number;

  @ApiProperty({ type: 'integer', example: 11 })
  biz_id!: number;

  @ApiProperty({ example: 'article' })
  biz!: string;

  @ApiProperty({ type: 'integer', example: 0 })
  read_cnt!: number;

  @ApiProperty({ type: 'integer', example: 450 })
  like_cnt!: number;

  @ApiProperty({ type: 'integer', example: 0 })
  collect_cnt!: number;

  @ApiProperty({ type: 'number', example: 450, description: 'What the board orders by' })
  score!: number;
}

export class RankedItem {
  @ApiProperty({ type: 'integer', minimum: 1, example: 1 })
  rank!: number;

  @ApiProperty({ type: RankedRowDto })
  row!: RankedRowDto;
}

export class BoardAnswer {
  @ApiProperty({ type: 'integer', enum: [200] })
  code!: number;

  @ApiProperty({ example: 'ok' })
  msg!: string;

  @ApiProperty({
    type: [RankedRowDto],
    description: 'In rank order; of equal scores the higher id',
  })
  data!: RankedRowDto[];
}
