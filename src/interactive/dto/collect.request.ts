import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { IsId } from '../../platform/http';

/** Where an object is collected into. */
export class CollectRequest {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'One of your folders; the default folder without',
  })
  @IsOptional()
  @IsId()
  collectionId?: number;
}
