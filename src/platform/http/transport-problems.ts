import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Fault, problemOf } from './problem';
import { requestIdOf } from './request-id';

const CODES: Record<string, Pick<Fault, 'status' | 'code'>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'HEADERS_TOO_LARGE' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'BODY_TOO_LARGE' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'REQUEST_TIMEOUT' },
};

/** Handles Node's `clientError`: input that its parser refuses is answered with a problem, too. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = CODES[error.code ?? ''] ?? { status: 400, code: 'MALFORMED_REQUEST' };
  const { title, body, headers } = rendered({ ...known, detail: error.message }, randomUUID());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${known.status} ${title}\r\n${lines.join('')}\r\n${body}`);
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
    connection: 'close',
  };
  return { title: problem.title, body, headers };
}
