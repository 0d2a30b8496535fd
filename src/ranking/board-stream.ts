import { Readable } from 'node:stream';
import { Gauge } from 'prom-client';

const openStreams = new Gauge({
  name: 'webook_ranking_streams',
  help: 'Clients that follow boards at the moment',
});

/** Milliseconds between two events at least: what changes faster is seen as its latest state. */
const SHORTEST_PAUSE = 50;

/** Milliseconds of silence after which a comment shows proxies and clients that it still lives. */
const HEARTBEAT = 15_000;

/** Milliseconds after which a client that lost the stream should come back. */
const RECONNECT_AFTER = 1_000;

/** Something whose state is sent at connect and after each change. */
export interface StreamedState {
  /** The state as one line; the same string as before when nothing changed. */
  data(): string;
  onChange(listener: () => void): () => void;
}

/**
 * The `board` events of one client. It is pulled: nothing is made while the client's connection is
 * full, and whoever reads slowly misses states between, never the latest, and costs no memory.
 */
export class BoardStream extends Readable {
  private readonly sent = new Map<StreamedState, string>();
  private readonly unsubscribes: (() => void)[];
  private readonly heartbeat: NodeJS.Timeout;
  private isPulled = false;
  private lastSentAt = -Infinity;
  private pausing: NodeJS.Timeout | null = null;

  constructor(private readonly states: readonly StreamedState[]) {
    // One event at a time in the buffer.
    super({ highWaterMark: 1 });
    this.unsubscribes = states.map((state) => state.onChange(() => this.deliver()));
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT);
    openStreams.inc();
    this.push(`retry: ${RECONNECT_AFTER}\n\n`);
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
    const rest = this.lastSentAt + SHORTEST_PAUSE - performance.now();
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
    if (this.isPulled && performance.now() - this.lastSentAt >= HEARTBEAT / 2) this.send(': \n\n');
  }

  private send(text: string): void {
    this.isPulled = false;
    this.lastSentAt = performance.now();
    this.push(text);
  }
}
