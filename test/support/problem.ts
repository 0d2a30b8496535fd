import type { Answer } from './answer';

/** The body of an error, as the contract has it. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  errors?: { field: string; message: string }[];
}

/** Expects an answer to be problem+json in every respect, and gives its body. */
export function expectProblem(answer: Answer<unknown>, status: number, code: string): ProblemBody {
  const problem = answer.body as ProblemBody;
  expect({ status: answer.status, code: problem.code }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const expected = {
    type: expect.stringMatching(/^urn:webook:problem:[a-z0-9-]+$/) as string,
    title: expect.stringMatching(/./) as string,
    status,
    detail: expect.stringMatching(/./) as string,
    code,
    requestId: answer.headers.get('x-request-id'),
  };
  // Exactly these: a stack trace or anything else of the inside must not get out.
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
