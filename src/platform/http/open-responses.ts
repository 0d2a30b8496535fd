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
  const open = new Map<ServerResponse, Socket>();
  const sockets = new Set<Socket>();
  let isOver = false;
  const endStreams = (): void => {
    // An ordinary answer is written and ended at once; one begun and not ended is a stream.
    for (const response of open.keys())
      if (response.headersSent && !response.writableEnded) {
        response.end();
        open.delete(response);
      }
  };
  const endUnused = (candidates: Iterable<Socket>): void => {
    const used = new Set(open.values());
    for (const socket of candidates) if (!used.has(socket)) socket.destroySoon();
  };

  fastify.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  fastify.addHook('onRequest', ({ raw: { socket } }, { raw: response }, done) => {
    open.set(response, socket);
    // Comes also when the client leaves first, as those of streams do; Fastify's onResponse does not.
    response.once('close', () => {
      open.delete(response);
      if (isOver) endUnused([socket]);
    });
    done();
  });
  fastify.addHook('preClose', (done) => {
    endStreams();
    // Again and again, since a stream may begin late: one that was waiting for its board.
    const farewell = setInterval(() => {
      isOver = true;
      endStreams();
      endUnused(sockets);
    }, FAREWELL);
    fastify.server.once('close', () => clearInterval(farewell));
    done();
  });
}
