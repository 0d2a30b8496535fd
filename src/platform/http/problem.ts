import { STATUS_CODES } from 'node:http';
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

/** What is particular about a problem; the rest of it follows. */
export type Fault = Pick<Problem, 'status' | 'code' | 'detail' | 'errors'>;

export function problemOf(fault: Fault, requestId: string): Problem {
  // Every 400 tells what to change; where no field is to blame, the request as a whole is.
  const errors = fault.status === 400 && [{ field: 'request', message: fault.detail }];
  return {
    type: `urn:webook:problem:${fault.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[fault.status] ?? 'Error',
    ...(errors && { errors }),
    ...fault,
    requestId,
  };
}
