import { ApiProperty } from '@nestjs/swagger';

/** An object that the caller has read. */
export class ReadingDto {
  @ApiProperty({ example: 'article' })
  biz!: string;

  @ApiProperty({ type: 'integer', example: 42 })
  bizId!: number;

  @ApiProperty({ type: 'integer', description: 'Last read; milliseconds since the epoch' })
  readAt!: number;
}

/** A page of the reading history, newest first. */
export class ReadingPageDto {
  @ApiProperty({ type: [ReadingDto] })
  items!: ReadingDto[];

  @ApiProperty({ type: 'string', nullable: true })
  nextCursor!: string | null;
}

/** The reading history after a deletion. */
export class ForgottenDto {
  @ApiProperty({ example: true })
  deleted!: true;
}
