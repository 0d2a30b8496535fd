import { ApiProperty } from '@nestjs/swagger';

/** An object that the caller likes. */
export class LikedObjectDto {
  @ApiProperty({ example: 'article' })
  biz!: string;

  @ApiProperty({ type: 'integer', example: 42 })
  bizId!: number;

  @ApiProperty({ type: 'integer', description: 'Milliseconds since the epoch' })
  likedAt!: number;
}

/** A page of liked objects, newest first. */
export class LikedObjectPageDto {
  @ApiProperty({ type: [LikedObjectDto] })
  items!: LikedObjectDto[];

  @ApiProperty({ type: 'string', nullable: true })
  nextCursor!: string | null;
}
