import { ApiProperty } from '@nestjs/swagger';

/** A folder. */
export class CollectionDto {
  @ApiProperty({ type: 'integer', example: 7 })
  id!: number;

  @ApiProperty({ example: 'To read' })
  name!: string;

  @ApiProperty({ type: 'integer', minimum: 0 })
  itemCount!: number;
}

/** A page of folders. */
export class CollectionPageDto {
  @ApiProperty({ type: [CollectionDto] })
  items!: CollectionDto[];

  @ApiProperty({ type: 'string', nullable: true })
  nextCursor!: string | null;
}

/** What is left of a deleted folder. */
export class DeletedCollectionDto {
  @ApiProperty({ type: 'integer', example: 7 })
  id!: number;

  @ApiProperty({ example: true })
  deleted!: true;
}
