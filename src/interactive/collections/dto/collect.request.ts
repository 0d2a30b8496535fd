import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';
import { ID_SCHEMA, IsId } from '../../../platform/http';

/** Where an object is collected into. */
export class CollectRequest {
  @ApiPropertyOptional({
    ...ID_SCHEMA,
    description: 'One of your folders; the default folder without',
  })
  // Not IsOptional, which would let null through.
  @ValidateIf((_, value) => value !== undefined)
  @IsId()
  collectionId?: number;
}
