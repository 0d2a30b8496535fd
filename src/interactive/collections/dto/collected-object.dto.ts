import { ApiProperty } from '@nestjs/swagger';

/** An object in one of the caller's folders. */
export class CollectedObjectDto {
  @ApiProperty({ example: 'article' })
  biz!: string;

  @ApiProperty({ type: 'integer', example: 42 })
  bizId!: number;

  @ApiProperty({ type: 'integer', description: 'Milliseconds since the epoch' })
  collectedAt!: number;
}

/** A page of what is in a folder, newest first. */
export class CollectedObjectPageDto {
  @ApiProperty({ type: [CollectedObjectDto] })
  items!: CollectedObjectDto[];

  @ApiProperty({ type: 'string', nullable: true })
  nextCursor!: string | null;
}
