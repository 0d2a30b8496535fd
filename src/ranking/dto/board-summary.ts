import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class BoardSummary {
  @ApiProperty({ example: 'likes' })
  name!: string;

  @ApiProperty({
    example: 'like_cnt',
    description: 'The count that it orders by; `hot`: likes that fade with age',
  })
  orderBy!: string;

  @ApiProperty({ type: 'integer', minimum: 1, example: 100, description: 'Rows it shows at most' })
  size!: number;

  @ApiPropertyOptional({ example: 'article', description: 'The only kind of object on it' })
  biz?: string;
}

export class BoardList {
  @ApiProperty({ type: [BoardSummary] })
  items!: BoardSummary[];
}
