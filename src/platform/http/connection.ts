import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_BODY_BYTES } from './body-limits';

/** Pipelined requests that are worked on at a time. */
const MAX_BEGUN = 16;
/** Unsent bytes from which on the next pipelined request waits. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** What a waiting request takes, roughly. */
const WAITING_BYTES = 4_096;

/** A request that is not begun yet. */
export interface WaitingRequest {
  response: ServerResponse;
  begin: () => void;
}

/** A client's connection, with what it is owed. */
export class Connection {
  /** Begun and not sent completely. */
  readonly responses = new Set<ServerResponse>();
  /** Of a client that pipelines. */
  readonly waiting: WaitingRequest[] = [];
  /** The next turn of those that wait. */
  turn: NodeJS.Immediate | null = null;
  /** The answer to input that is no request; what comes after it is not read. */
  refusal: string | null = null;
  /** What the process kept for it at the last check. */
  heldBytes = 0;
  private bytesReadBefore = 0;
  private bytesTaken = NaN;
  private takenAt = 0;

  constructor(readonly socket: Socket) {}

  get isUnused(): boolean {
    return this.responses.size === 0 && this.waiting.length === 0;
  }

  get isUnread(): boolean {
    return this.socket.writableLength > 0;
  }

  /** Whether the body of a request is not complete. */
  get isReceiving(): boolean {
    for (const { req } of this.responses) if (!req.complete) return true;
    return false;
  }

  /** Whether another request may begin. */
  hasRoom(): boolean {
    const { size } = this.responses;
    return size === 0 || (size < MAX_BEGUN && this.unsentBytes() < MAX_UNSENT_BYTES);
  }

  /** Counts what the client has not sent or not read completely. */
  countHeldBytes(): number {
    const { bytesRead } = this.socket;
    this.heldBytes = this.unsentBytes() + this.waiting.length * WAITING_BYTES;
    if (this.isReceiving)
      this.heldBytes += Math.min(bytesRead - this.bytesReadBefore, MAX_BODY_BYTES);
    else this.bytesReadBefore = bytesRead;
    return this.heldBytes;
  }

  /** For how long the client has read nothing, as far as calls of this method show. */
  unreadMs(now: number): number {
    const bytesTaken = bytesTakenFrom(this.socket);
    if (!this.isUnread || bytesTaken !== this.bytesTaken) {
      this.bytesTaken = bytesTaken;
      this.takenAt = now;
    }
    return now - this.takenAt;
  }

  /** Ends the responses that never end by themselves: server-sent events. */
  endStreams(): void {
    for (const response of this.responses)
      if (isEndless(response)) {
        response.end();
        this.responses.delete(response);
      }
  }

  private unsentBytes(): number {
    let bytes = this.socket.writableLength;
    // Only one response at a time writes to the socket; the others keep what they have.
    for (const response of this.responses)
      if (response.socket === null) bytes += response.writableLength;
    return bytes;
  }
}

/** Ordinary responses are written and ended in one call, or have a length: those of files. */
export function isEndless(response: ServerResponse): boolean {
  return response.headersSent && !response.writableEnded && !response.hasHeader('content-length');
}

/** The bytes that the system has taken, also of a write that still lasts: only the handle knows. */
function bytesTakenFrom(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return socket.bytesWritten - socket.writableLength - (handle?.writeQueueSize ?? 0);
}
