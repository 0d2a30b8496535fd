import { ApiProperty } from '@nestjs/swagger';
import { BIZ_SCHEMA, ID_SCHEMA, NEXT_CURSOR_SCHEMA, TIME_SCHEMA } from '../../../platform/http';

/** An object in one of the caller's folders. */
export class CollectedObjectDto {
  @ApiProperty({ ...BIZ_SCHEMA, example: 'article' })
  biz!: string;

  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  bizId!: number;

  @ApiProperty(TIME_SCHEMA)
  collectedAt!: number;
}

/** A page of what is in a folder, newest first. */
export class CollectedObjectPageDto {
  @ApiProperty({ type: [CollectedObjectDto] })
  items!: CollectedObjectDto[];

  @ApiProperty(NEXT_CURSOR_SCHEMA)
  nextCursor!: string | null;
}
