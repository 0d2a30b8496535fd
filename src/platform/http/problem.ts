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

  @ApiProperty({
    example: 'ARTICLE_NOT_FOUND',
    description: 'Stable: programs should decide by this field',
  })
  code!: string;

  @ApiProperty({ description: 'Also in the header x-request-id, and in the log' })
  requestId!: string;

  @ApiPropertyOptional({ type: [ProblemField], description: 'For 400: each faulty field' })
  errors?: ProblemField[];
}

/** The parts of a problem that vary; `problemOf` derives the rest. */
export type Fault = Pick<Problem, 'status' | 'code' | 'detail' | 'errors'>;

export function problemOf(fault: Fault, requestId: string): Problem {
  // Every 400 lists what to change; without a faulty field, that is the request as a whole.
  const errors = fault.status === 400 && [{ field: 'request', message: fault.detail }];
  return {
    type: `urn:webook:problem:${fault.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[fault.status] ?? 'Error',
    ...(errors && { errors }),
    ...fault,
    requestId,
  };
}
