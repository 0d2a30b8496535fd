import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Matches } from 'class-validator';
import { Characters } from '../../../platform/http';

/** The name of a folder; blanks around it are not part of it. */
export class CollectionNameRequest {
  @ApiProperty({ minLength: 1, maxLength: 64, example: 'To read' })
  // Composed form, so that one name cannot be taken twice by being typed in two ways.
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.normalize('NFC').trim() : value,
  )
  @Matches(/^\P{Cc}*$/u, { message: 'must not contain control characters' })
  @Characters(1, 64)
  @IsString({ message: 'must be a text' })
  name!: string;
}
