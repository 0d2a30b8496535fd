import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { Characters, Visible } from '../../platform/http';

/** The title and content that an author writes. */
export class ArticleText {
  @ApiProperty({
    minLength: 1,
    maxLength: 200,
    format: 'visible-text',
    description: 'Has at least one visible character',
    example: 'What a binlog knows',
  })
  @Characters(1, 200)
  @Visible()
  @IsString({ message: 'must be a text' })
  title!: string;

  @ApiProperty({ maxLength: 200_000, example: 'Every change, in order.' })
  @Characters(0, 200_000)
  @IsString({ message: 'must be a text' })
  content!: string;
}
