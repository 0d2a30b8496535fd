import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Milliseconds for what is on its way over an open connection, to us or from us. */
const FAREWELL = 1_000;

/**
 * Ends what would keep a closing server waiting: endless responses (server-sent events), whose
 * clients reconnect, to another instance; and connections that are kept open without a request.
 * Ordinary requests are answered first, however long they take.
 */
export function endStreamsOnClose(fastify: FastifyInstance): void {
  // By connection, with which they go when its client leaves first: Fastify then calls no
  // onResponse, and a listener of each response would cost the hottest route a quarter of its rate.
  const open = new Map<Socket, Set<ServerResponse>>();
  let isOver = false;
  const endStreams = (): void => {
    // An ordinary answer is written and ended at once; one begun and not ended is a stream.
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
    if (isOver) endIfUnused(socket);
    done();
  });
  fastify.addHook('preClose', (done) => {
    endStreams();
    // Again and again, since a stream may begin late: one that was waiting for its board.
    const farewell = setInterval(() => {
      isOver = true;
      endStreams();
      for (const socket of open.keys()) endIfUnused(socket);
    }, FAREWELL);
    fastify.server.once('close', () => clearInterval(farewell));
    done();
  });
}
