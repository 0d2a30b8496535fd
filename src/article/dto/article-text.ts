import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';

/** What an author writes. */
export class ArticleText {
  @ApiProperty({ minLength: 1, maxLength: 200, example: 'What a binlog knows' })
  @MaxLength(200, { message: 'must have at most 200 characters' })
  @Matches(/\S/, { message: 'must not be blank' })
  @IsString({ message: 'must be a text' })
  title!: string;

  @ApiProperty({ maxLength: 200_000, example: 'Every change, in order.' })
  @MaxLength(200_000, { message: 'must have at most 200000 characters' })
  @IsString({ message: 'must be a text' })
  content!: string;
}
