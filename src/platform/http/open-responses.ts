import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Time for data that is on its way over an open connection, in either direction. */
const GRACE_PERIOD_MS = 1_000;

/**
 * Ends what would keep a closing server waiting: endless responses (server-sent events), whose
 * clients then reconnect to another instance, and kept-alive connections without a request.
 * Ordinary requests are answered first, however long they take.
 */
export function endStreamsOnClose(fastify: FastifyInstance): void {
  // Grouped by connection, so that they are removed with it when the client leaves first: Fastify
  // then calls no onResponse, and a listener on each response would cost the hottest route a
  // quarter of its throughput.
  const open = new Map<Socket, Set<ServerResponse>>();
  let isGracePeriodOver = false;
  const endStreams = (): void => {
    // An ordinary response is written and ended in one call; one begun and not ended is a stream.
    for (const responses of open.values())
      for (const response of responses)
        if (response.headersSent && !response.writableEnded) {
          response.end();
          responses.delete(response);
        }
  };
  const endIfUnused = (socket: Socket): void => {
    if (open.get(socket)?.size === 0) socket.destroySoon();
  };

  fastify.server.on('connection', (socket) => {
    open.set(socket, new Set());
    socket.once('close', () => open.delete(socket));
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    open.get(request.raw.socket)?.add(reply.raw);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { socket } = request.raw;
    open.get(socket)?.delete(reply.raw);
    if (isGracePeriodOver) endIfUnused(socket);
    done();
  });
  fastify.addHook('preClose', (done) => {
    endStreams();
    // Repeated, because a stream may begin late: one that was waiting for its board.
    const interval = setInterval(() => {
      isGracePeriodOver = true;
      endStreams();
      for (const socket of open.keys()) endIfUnused(socket);
    }, GRACE_PERIOD_MS);
    fastify.server.once('close', () => clearInterval(interval));
    done();
  });
}
