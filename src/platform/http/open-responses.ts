import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

/**
 * Ends endless responses (server-sent events) when the server closes. It waits for every response,
 * and these would keep it waiting for ever; their clients reconnect, to another instance.
 */
export function endStreamsOnClose(fastify: FastifyInstance): void {
  const open = new Set<ServerResponse>();
  fastify.addHook('onRequest', (_request, reply, done) => {
    open.add(reply.raw);
    done();
  });
  fastify.addHook('onResponse', (_request, reply, done) => {
    open.delete(reply.raw);
    done();
  });
  fastify.addHook('preClose', (done) => {
    // An ordinary answer is written and ended at once; one begun and not ended is a stream. Its
    // headers have promised to keep the connection, which the server would wait for.
    for (const response of open)
      if (response.headersSent && !response.writableEnded) {
        const { socket } = response;
        // One that its client has cancelled is destroyed and calls nothing back.
        if (response.destroyed) socket?.destroy();
        else response.end(() => socket?.destroySoon());
      }
    done();
  });
}
