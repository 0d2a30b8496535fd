import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsString, Matches } from 'class-validator';
import { Characters, Visible } from '../../../platform/http';

const MAX_CHARACTERS = 64;

/** One character of a composed text has at most four before, each of at most two UTF-16 units. */
const MAX_DECOMPOSED_LENGTH = MAX_CHARACTERS * 4 * 2;

/**
 * Composed form, so that one name cannot be taken twice by being typed in two ways. Composing takes
 * time by the square of the length, so a text that is too long anyway stays as it is.
 */
function composed(name: string): string {
  const text = name.trim();
  return text.length > MAX_DECOMPOSED_LENGTH ? text : text.normalize('NFC');
}

/** The name of a folder; blanks around it are not part of it. */
export class CollectionNameRequest {
  @ApiProperty({
    minLength: 1,
    maxLength: MAX_CHARACTERS,
    format: 'visible-line',
    description: 'Has at least one visible character, and no control characters',
    example: 'To read',
  })
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? composed(value) : value,
  )
  @Visible()
  @Matches(/^\P{Cc}*$/u, { message: 'must not contain control characters' })
  @Characters(1, MAX_CHARACTERS)
  @IsString({ message: 'must be a text' })
  name!: string;
}
