import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Counter } from 'prom-client';
import { Connection, isEndless } from './connection';
import type { Fault } from './problem';
import { rawProblem, transportFaultOf } from './transport-problems';

/** Pipelined requests of a connection that wait. */
const MAX_WAITING = 2_048;
/** What the clients of all connections have not sent or not read completely. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
/** For a client that reads nothing of its answer. */
const UNREAD_TIMEOUT_MS = 30_000;
const CHECK_INTERVAL_MS = 1_000;
/** Time for data that is on its way over an open connection, in either direction. */
const GRACE_PERIOD_MS = 1_000;
/** During a shutdown, for a client that reads its answer slowly. */
const LAST_READ_MS = 10_000;

const dropped = new Counter({
  name: 'webook_http_dropped_connections_total',
  help: 'Connections closed with requests unanswered or answers unread, by the limit they met',
  labelNames: ['limit'],
});

/**
 * Bounds what a client's connection costs: it may pipeline requests and read none of the answers, be
 * silent, or stop in the middle of a request or an answer. Closes all connections with the server.
 */
export class Connections {
  // By socket, so that everything goes with it when the client leaves first: Fastify then calls no
  // onResponse, and a listener on each response would cost the hottest route a quarter of its
  // throughput.
  private readonly open = new Map<Socket, Connection>();
  private closingSince: number | null = null;

  /** To be called before other hooks are added: a request that waits must not be worked on. */
  watch(fastify: FastifyInstance): void {
    const { server } = fastify;
    server.on('connection', (socket) => {
      this.open.set(socket, new Connection(socket));
      socket.once('close', () => this.open.delete(socket));
    });
    server.on('drop', () => dropped.inc({ limit: 'connections' }));
    fastify.addHook('onRequest', (request, reply, done) => {
      const connection = this.open.get(request.raw.socket);
      if (connection === undefined) done();
      else this.begin(connection, reply.raw, done);
    });
    fastify.addHook('onResponse', (request, reply, done) => {
      const connection = this.open.get(request.raw.socket);
      if (connection !== undefined) this.end(connection, reply.raw);
      done();
    });
    let checks = setInterval(() => this.check(), CHECK_INTERVAL_MS).unref();
    fastify.addHook('preClose', (done) => {
      this.closingSince = performance.now();
      for (const connection of this.open.values()) connection.endStreams();
      clearInterval(checks);
      checks = setInterval(() => this.close(), GRACE_PERIOD_MS).unref();
      done();
    });
    server.once('close', () => clearInterval(checks));
  }

  /** Handles Node's `clientError`: input that is no request, or not a whole one in time. */
  answerClientError(error: Error & { code?: string }, socket: Socket): void {
    const connection = this.open.get(socket);
    if (connection === undefined || error.code === 'ECONNRESET') socket.destroy();
    else this.refuse(connection, transportFaultOf(error));
  }

  /** Answers what is no request, after the requests before it, and closes the connection. */
  private refuse(connection: Connection, fault: Fault): void {
    // Else it is more of the same input.
    if (connection.refusal !== null) return;
    connection.refusal = rawProblem(fault);
    this.sendRefusal(connection, connection.refusal);
  }

  private sendRefusal({ socket, responses, waiting }: Connection, refusal: string): void {
    if (waiting.length > 0) return;
    let isInBetween = false;
    for (const response of responses)
      if (isEndless(response)) isInBetween = true;
      // The refused request may be open, too: one whose body does not become complete.
      else if (!response.req.complete) isInBetween ||= response.headersSent;
      else return;
    if (isInBetween || !socket.writable) socket.destroy();
    else {
      socket.end(refusal);
      // The client's end is not awaited: a silent one would keep the descriptor for ever.
      setTimeout(() => socket.destroy(), GRACE_PERIOD_MS).unref();
    }
  }

  private begin(connection: Connection, response: ServerResponse, begin: () => void): void {
    const { responses, waiting } = connection;
    if (responses.size === 0 || (waiting.length === 0 && connection.hasRoom())) {
      responses.add(response);
      begin();
    } else if (waiting.push({ response, begin }) > MAX_WAITING) drop(connection, 'pipelined');
  }

  private end(connection: Connection, response: ServerResponse): void {
    connection.responses.delete(response);
    // Other connections get their turn between the answers to a long pipeline.
    if (connection.waiting.length > 0)
      connection.turn ??= setImmediate(() => this.beginWaiting(connection));
    else if (connection.refusal !== null) this.sendRefusal(connection, connection.refusal);
    else if (this.isGracePeriodOver() && connection.isUnused) connection.socket.destroySoon();
  }

  private beginWaiting(connection: Connection): void {
    connection.turn = null;
    while (connection.hasRoom() && !connection.socket.destroyed) {
      const next = connection.waiting.shift();
      if (next === undefined) return;
      connection.responses.add(next.response);
      next.begin();
    }
  }

  private check(): void {
    const now = performance.now();
    let held = 0;
    for (const connection of this.open.values())
      if (connection.unreadMs(now) >= UNREAD_TIMEOUT_MS) drop(connection, 'unread');
      else held += connection.countHeldBytes();
    if (held <= MAX_HELD_BYTES) return;
    for (const connection of [...this.open.values()].sort((a, b) => b.heldBytes - a.heldBytes)) {
      if (held <= MAX_HELD_BYTES) break;
      held -= connection.heldBytes;
      drop(connection, 'memory');
    }
  }

  /** Waits for answers, but not for clients that send or read nothing. */
  private close(): void {
    const now = performance.now();
    const isLate = now - (this.closingSince ?? now) >= LAST_READ_MS;
    for (const connection of this.open.values()) {
      // A stream may begin late: one that was waiting for its board.
      connection.endStreams();
      if (connection.isUnread && (isLate || connection.unreadMs(now) >= GRACE_PERIOD_MS))
        drop(connection, 'unread');
      else if (connection.isReceiving) this.refuse(connection, INCOMPLETE);
      else if (connection.isUnused) connection.socket.destroySoon();
    }
  }

  private isGracePeriodOver(): boolean {
    return this.closingSince !== null && performance.now() - this.closingSince >= GRACE_PERIOD_MS;
  }
}

const INCOMPLETE: Fault = {
  status: 408,
  code: 'REQUEST_TIMEOUT',
  detail: 'the program is stopping, and the request is not complete',
};

function drop({ socket }: Connection, limit: string): void {
  if (!socket.destroyed) dropped.inc({ limit });
  socket.destroy();
}
