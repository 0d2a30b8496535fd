import type { Answer } from './answer';

/** The body of an error, as documented. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  errors?: { field: string; message: string }[];
}

/** Expects an answer to be complete and correct problem+json, and returns its body. */
export function expectProblem(answer: Answer<unknown>, status: number, code: string): ProblemBody {
  const problem = answer.body as ProblemBody;
  expect({ status: answer.status, code: problem.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  const expected = {
    type: expect.stringMatching(/^urn:webook:problem:[a-z0-9-]+$/) as string,
    title: expect.stringMatching(/./) as string,
    status,
    detail: expect.stringMatching(/./) as string,
    code,
    requestId: answer.headers.get('x-request-id'),
  };
  // Exactly these fields: a stack trace or other internals must not leak.
  if (status === 400) {
    expect(problem).toEqual({ ...expected, errors: expect.any(Array) as unknown[] });
    expect(problem.errors?.length).toBeGreaterThan(0);
    for (const error of problem.errors ?? [])
      expect(error).toEqual({
        field: expect.any(String) as string,
        message: expect.any(String) as string,
      });
  } else expect(problem).toEqual(expected);
  if (status === 503 || status === 429)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  return problem;
}
