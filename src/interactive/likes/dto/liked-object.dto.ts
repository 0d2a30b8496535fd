import { ApiProperty } from '@nestjs/swagger';
import { BIZ_SCHEMA, ID_SCHEMA, NEXT_CURSOR_SCHEMA, TIME_SCHEMA } from '../../../platform/http';

/** An object that the caller likes. */
export class LikedObjectDto {
  @ApiProperty({ ...BIZ_SCHEMA, example: 'article' })
  biz!: string;

  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  bizId!: number;

  @ApiProperty(TIME_SCHEMA)
  likedAt!: number;
}

/** A page of liked objects, newest first. */
export class LikedObjectPageDto {
  @ApiProperty({ type: [LikedObjectDto] })
  items!: LikedObjectDto[];

  @ApiProperty(NEXT_CURSOR_SCHEMA)
  nextCursor!: string | null;
}
