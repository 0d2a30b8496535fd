import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Milliseconds for what is on its way over an open connection, to us or from us. */
const FAREWELL = 1_000;

/**
 * Ends what would keep a closing server waiting for ever: endless responses (server-sent events),
 * whose clients reconnect, to another instance; and connections on which nothing was asked yet,
 * which Node counts neither as idle nor as busy. Ordinary requests are answered first.
 */
export function endStreamsOnClose(fastify: FastifyInstance): void {
  const open = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  fastify.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  fastify.addHook('onRequest', (_request, reply, done) => {
    open.add(reply.raw);
    done();
  });
  fastify.addHook('onResponse', (_request, reply, done) => {
    open.delete(reply.raw);
    done();
  });
  fastify.addHook('preClose', (done) => {
    // An ordinary answer is written and ended at once; one begun and not ended is a stream.
    for (const response of open)
      if (response.headersSent && !response.writableEnded) {
        response.end();
        open.delete(response);
      }
    setTimeout(() => {
      const busy = new Set([...open].map(({ socket }) => socket));
      for (const socket of sockets) if (!busy.has(socket)) socket.destroySoon();
    }, FAREWELL);
    done();
  });
}
