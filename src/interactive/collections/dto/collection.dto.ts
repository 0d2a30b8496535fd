import { ApiProperty } from '@nestjs/swagger';
import { ID_SCHEMA, NEXT_CURSOR_SCHEMA } from '../../../platform/http';

/** A folder. */
export class CollectionDto {
  @ApiProperty({ ...ID_SCHEMA, example: 7 })
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

  @ApiProperty(NEXT_CURSOR_SCHEMA)
  nextCursor!: string | null;
}

/** What is left of a deleted folder. */
export class DeletedCollectionDto {
  @ApiProperty({ ...ID_SCHEMA, example: 7 })
  id!: number;

  @ApiProperty({ enum: [true] })
  deleted!: true;
}
