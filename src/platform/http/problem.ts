import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** What is wrong with one field. */
export class ProblemField {
  @ApiProperty({ example: 'objects.0.bizId' })
  field!: string;

  @ApiProperty({ example: 'must be a whole number from 1 to 9007199254740991' })
  message!: string;
}

/** The body of every error: RFC 9457 problem details with a stable `code`. */
export class Problem {
  @ApiProperty({ example: 'urn:webook:problem:article-not-found' })
  type!: string;

  @ApiProperty({ example: 'Not Found' })
  title!: string;

  @ApiProperty({ type: 'integer', example: 404 })
  status!: number;

  @ApiProperty({ example: 'article 42 does not exist' })
  detail!: string;

  @ApiProperty({ example: 'ARTICLE_NOT_FOUND', description: 'Stable; what programs decide by' })
  code!: string;

  @ApiProperty({ description: 'Also in the header x-request-id, and in the log' })
  requestId!: string;

  @ApiPropertyOptional({ type: [ProblemField], description: 'For 400: each faulty field' })
  errors?: ProblemField[];
}
