import { parse } from 'node:querystring';
import { ValidationFailedError } from './validation-failed.error';

/** The parameters of the API's own routes are fewer than ten. */
const MAX_PARAMETERS = 32;

/** Stands for a query with too many parameters: the router's parser cannot refuse it. */
const excessive = Object.freeze({});

/**
 * Parses the part of a URL after the question mark; its length is limited by Node, with the headers.
 * Validation takes more time for each further parameter, so that their number is limited before.
 */
export function parseQuery(query: string): Record<string, unknown> {
  if (query === '') return {};
  let separators = 0;
  for (let i = query.indexOf('&'); i >= 0; i = query.indexOf('&', i + 1))
    if (++separators >= MAX_PARAMETERS) return excessive;
  return parse(query);
}

/** Whether `parseQuery` has given up on a query: it must be refused. */
export const hasTooManyParameters = (query: unknown): boolean => query === excessive;

export class TooManyParametersError extends ValidationFailedError {
  constructor() {
    super([{ field: 'query', message: `must not have more than ${MAX_PARAMETERS} parameters` }]);
  }
}
