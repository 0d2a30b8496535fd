import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fastify as createFastify, type FastifyInstance } from 'fastify';
import { Connections } from './connections';

describe('a closing server', () => {
  let fastify: FastifyInstance;
  const agent = new Agent({ keepAlive: true });
  const port = (): number => (fastify.server.address() as AddressInfo).port;
  const answerOf = async (path: string): Promise<IncomingMessage> => {
    const [answer] = await once(get({ port: port(), path, agent }), 'response');
    return answer as IncomingMessage;
  };

  beforeEach(() => {
    fastify = createFastify({ return503OnClosing: false });
    new Connections().watch(fastify);
  });
  afterEach(() => agent.destroy());

  it('ends its streams, and keeps no reference to those whose clients have left', async () => {
    const responses: ServerResponse[] = [];
    fastify.get('/stream', (_request, reply) => {
      responses.push(reply.raw);
      const stream = new Readable({ read: () => undefined });
      stream.push('begun');
      return reply.send(stream);
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const [left, stayed] = [await answerOf('/stream'), await answerOf('/stream')];
    left.destroy();
    await once(responses[0]!, 'close');
    const [ofLeft, ofStayed] = responses.map((response) => jest.spyOn(response, 'end'));
    await Promise.all([fastify.close(), text(stayed)]);
    expect(ofStayed).toHaveBeenCalled();
    expect(ofLeft).not.toHaveBeenCalled();
  });

  it('ends a stream that begins after the others have been ended', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    fastify.get('/stream', async () => {
      begin();
      await released;
      const stream = new Readable({ read: () => undefined });
      stream.push('begun');
      return stream;
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const answer = answerOf('/stream').then(text);
    await begun;
    const closed = fastify.close();
    release();
    expect(await answer).toBe('begun');
    await closed;
  });

  it('answers a long request, and does not wait for its kept-alive connection', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    fastify.get('/long', async () => {
      begin();
      await released;
      return 'answered';
    });
    await fastify.listen({ host: '127.0.0.1', port: 0 });
    const answer = answerOf('/long').then(text);
    const silent = connect(port(), '127.0.0.1');
    await begun;
    const closed = fastify.close();
    // Ended once the grace period is over.
    await once(silent.resume(), 'close');
    release();
    expect(await answer).toBe('answered');
    await closed;
  });
});
