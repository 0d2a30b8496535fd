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
  @ApiProperty({ format: 'uri', example: 'urn:webook:problem:article-not-found' })
  type!: string;

  @ApiProperty({ example: 'Not Found' })
  title!: string;

  @ApiProperty({ type: 'integer', minimum: 400, maximum: 599, example: 404 })
  status!: number;

  @ApiProperty({ example: 'article 42 does not exist' })
  detail!: string;

  @ApiProperty({
    pattern: '^[A-Z][A-Z_]*$',
    example: 'ARTICLE_NOT_FOUND',
    description: 'Stable: programs should decide by this field',
  })
  code!: string;

  @ApiProperty({ description: 'Also in the header x-request-id, and in the log' })
  requestId!: string;

  @ApiPropertyOptional({
    type: [ProblemField],
    minItems: 1,
    description: 'For 400: each faulty field',
  })
  errors?: ProblemField[];
}

/** The parts of a problem that vary; `problemOf` derives the rest. */
export type Fault = Pick<Problem, 'status' | 'code' | 'detail' | 'errors'>;

/** Characters of the detail. With the limits of its errors, no problem has more than 16 kB. */
const MAX_DETAIL_LENGTH = 800;

export function problemOf(fault: Fault, requestId: string): Problem {
  const detail = shortened(fault.detail, MAX_DETAIL_LENGTH);
  // Every 400 lists what to change; without a faulty field, that is the request as a whole.
  const errors = fault.status === 400 && [{ field: 'request', message: detail }];
  return {
    type: `urn:webook:problem:${fault.code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[fault.status] ?? 'Error',
    ...(errors && { errors }),
    ...fault,
    detail,
    requestId,
  };
}

/**
 * A text that may repeat what a client has sent: at most `maxLength` characters, of which JSON needs at
 * most three bytes each. It escapes control characters and halves of surrogate pairs with six.
 */
export function shortened(text: string, maxLength: number): string {
  const start = text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
  return start.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
}
