import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, problemOf } from './problem';
import { requestIdOf } from './request-id';

const CODES: Record<string, Pick<Fault, 'status' | 'code'>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'HEADERS_TOO_LARGE' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'BODY_TOO_LARGE' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_TIMEOUT' },
};

/** What Node's HTTP server reports of input that is no request. */
export function transportFaultOf({ code = '', message }: Error & { code?: string }): Fault {
  return { ...(CODES[code] ?? { status: 400, code: 'MALFORMED_REQUEST' }), detail: message };
}

/** The bytes of an answer for which there is no request, and the last ones of its connection. */
export function rawProblem(fault: Fault): string {
  const { title, body, headers } = rendered(fault, randomUUID());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${fault.status} ${title}\r\n${lines.join('')}\r\n${body}`;
}

/** Handles Node's `checkExpectation`: an `Expect` header other than 100-continue. */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const detail = 'the only supported expectation is 100-continue';
  const fault = { status: 417, code: 'EXPECTATION_FAILED', detail };
  const { body, headers } = rendered(fault, requestIdOf(request));
  response.writeHead(fault.status, headers).end(body);
}

function rendered(fault: Fault, requestId: string) {
  const problem = problemOf(fault, requestId);
  const body = JSON.stringify(problem);
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    connection: 'close',
  };
  return { title: problem.title, body, headers };
}
