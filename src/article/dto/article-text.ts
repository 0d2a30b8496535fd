import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { Characters } from '../../platform/http';

/** The title and content that an author writes. */
export class ArticleText {
  @ApiProperty({ minLength: 1, maxLength: 200, example: 'What a binlog knows' })
  @Characters(0, 200)
  @Matches(/\S/, { message: 'must not be blank' })
  @IsString({ message: 'must be a text' })
  title!: string;

  @ApiProperty({ maxLength: 200_000, example: 'Every change, in order.' })
  @Characters(0, 200_000)
  @IsString({ message: 'must be a text' })
  content!: string;
}
