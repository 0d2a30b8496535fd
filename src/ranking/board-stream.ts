import { Readable } from 'node:stream';
import { Gauge } from 'prom-client';

const openStreams = new Gauge({
  name: 'webook_ranking_streams',
  help: 'Open streams of boards',
});

/** Between two events at least: of faster changes the latest state is sent. */
const MIN_PAUSE_MS = 50;

/** Silence after which a comment is sent, so that proxies and clients keep the connection. */
const HEARTBEAT_MS = 15_000;

/** After which a client that lost the stream should connect again. */
const RECONNECT_AFTER_MS = 1_000;

/** Something whose state is sent at connect and after each change. */
export interface StreamedState {
  /** The state as one line; the same string as before when nothing changed. */
  data(): string;
  onChange(listener: () => void): () => void;
}

/**
 * The `board` events of one client. They are pulled: while the client's connection is full no event is
 * created, so a slow client misses states in between, never the latest one, and costs no memory.
 */
export class BoardStream extends Readable {
  private readonly sent = new Map<StreamedState, string>();
  private readonly unsubscribes: (() => void)[];
  private readonly heartbeat: NodeJS.Timeout;
  private isPulled = false;
  private lastSentAt = -Infinity;
  private pausing: NodeJS.Timeout | null = null;

  constructor(private readonly states: readonly StreamedState[]) {
    // At most one event in the buffer.
    super({ highWaterMark: 1 });
    this.unsubscribes = states.map((state) => state.onChange(() => this.deliver()));
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    openStreams.inc();
    this.push(`retry: ${RECONNECT_AFTER_MS}\n\n`);
  }

  override _read(): void {
    this.isPulled = true;
    this.deliver();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    openStreams.dec();
    for (const unsubscribe of this.unsubscribes) unsubscribe();
    clearInterval(this.heartbeat);
    if (this.pausing !== null) clearTimeout(this.pausing);
    callback(error);
  }

  private deliver(): void {
    if (!this.isPulled || this.pausing !== null) return;
    const rest = this.lastSentAt + MIN_PAUSE_MS - performance.now();
    if (rest > 0) {
      this.pausing = setTimeout(() => {
        this.pausing = null;
        this.deliver();
      }, rest);
      return;
    }
    const events = this.states.map((state) => this.event(state)).join('');
    if (events !== '') this.send(events);
  }

  private event(state: StreamedState): string {
    const data = state.data();
    if (this.sent.get(state) === data) return '';
    this.sent.set(state, data);
    return `event: board\ndata: ${data}\n\n`;
  }

  private beat(): void {
    if (this.isPulled && performance.now() - this.lastSentAt >= HEARTBEAT_MS / 2)
      this.send(': \n\n');
  }

  private send(text: string): void {
    this.isPulled = false;
    this.lastSentAt = performance.now();
    this.push(text);
  }
}
