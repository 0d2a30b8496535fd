import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Length, Matches } from 'class-validator';

/** The name of a folder; blanks around it are not part of it. */
export class CollectionNameRequest {
  @ApiProperty({ minLength: 1, maxLength: 64, example: 'To read' })
  // Composed form, so that one name cannot be taken twice by being typed in two ways.
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.normalize('NFC').trim() : value,
  )
  @Matches(/^\P{Cc}*$/u, { message: 'must not contain control characters' })
  @Length(1, 64, { message: 'must have 1 to 64 characters' })
  @IsString({ message: 'must be a text' })
  name!: string;
}
