import { ApiProperty } from '@nestjs/swagger';
import { BIZ_SCHEMA, ID_SCHEMA, NEXT_CURSOR_SCHEMA, TIME_SCHEMA } from '../../platform/http';

/** An object that the caller has read. */
export class ReadingDto {
  @ApiProperty({ ...BIZ_SCHEMA, example: 'article' })
  biz!: string;

  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  bizId!: number;

  @ApiProperty({ ...TIME_SCHEMA, description: 'Last read; milliseconds since the epoch' })
  readAt!: number;
}

/** A page of the reading history, newest first. */
export class ReadingPageDto {
  @ApiProperty({ type: [ReadingDto] })
  items!: ReadingDto[];

  @ApiProperty(NEXT_CURSOR_SCHEMA)
  nextCursor!: string | null;
}

/** The reading history after a deletion. */
export class ForgottenDto {
  @ApiProperty({ enum: [true] })
  deleted!: true;
}
