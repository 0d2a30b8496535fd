import { Board, type BoardShape } from './board';
import type { Place, RankedRow } from './ranked-row';
import type { BoardSnapshot } from './ranking.cache';

/** What the scripts publish, numbered without gaps. */
type BoardMessage =
  /** The board was opened for a load. */
  | { seq: number; epoch: string }
  /** More changed than a message tells: read the board. */
  | { seq: number; reload: true }
  /** Rows changed; `count` and `floor` are those after it. */
  | {
      seq: number;
      count: number;
      floor: Place | null;
      states: { id: number; row: RankedRow | null }[];
    };

/** Milliseconds that a missing message may still come in, before the board is read instead. */
const GAP_PATIENCE = 100;

/**
 * A process's copy of a board. It follows the numbered changes that Redis publishes by the same
 * rules as Redis itself applies them, and checks the outcome; when a number is missing or the
 * outcome differs it reads the whole board anew.
 */
export class BoardReplica {
  private held: Board;
  private whole: Board | null = null;
  private current: Pick<BoardSnapshot, 'epoch' | 'seq'> | null = null;
  private readonly pending = new Map<number, BoardMessage>();
  private readonly waiting = new Set<{ seq: number; resolve(): void; reject(e: unknown): void }>();
  private readonly listeners = new Set<() => void>();
  private reading: Promise<BoardSnapshot | null> | null = null;
  private gapTimer: NodeJS.Timeout | null = null;
  private changes = 0;

  /**
   * @param read reads the board from Redis; null when there is none
   * @param installed is told, in the same turn, when the copy has become what was read
   */
  constructor(
    private readonly shape: BoardShape,
    private readonly read: () => Promise<BoardSnapshot | null>,
    private readonly installed: (snapshot: BoardSnapshot) => void,
  ) {
    this.held = new Board(shape);
  }

  /** What Redis holds: batches are decided by it. */
  get board(): Board {
    return this.held;
  }

  /**
   * What readers see: the same, except while Redis holds a board that was not loaded yet. Then it
   * is what was there before, null at first.
   */
  get shown(): Board | null {
    return this.whole;
  }

  /** Number of the last change it holds; 0 before it was first read. */
  get seq(): number {
    return this.current?.seq ?? 0;
  }

  /** Null before it was first read. */
  get epoch(): string | null {
    return this.current?.epoch ?? null;
  }

  /** Rises with every change of the copy. */
  get revision(): number {
    return this.changes;
  }

  /** Takes a published change, in whatever order and however often it comes. */
  receive(text: string): void {
    const message = JSON.parse(text) as BoardMessage;
    if (message.seq <= this.seq) return;
    this.pending.set(message.seq, message);
    if (this.reading === null && this.current !== null) this.follow();
  }

  /** Resolves once the copy holds the change of that number. @throws when Redis cannot be read */
  reach(seq: number): Promise<void> {
    if (this.seq >= seq) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiting.add({ seq, resolve, reject }));
  }

  /**
   * Reads the whole board; whoever asks while that is under way shares it.
   * @returns what was read, null when Redis has no board: the copy then stays as it is
   */
  resync(): Promise<BoardSnapshot | null> {
    this.reading ??= this.readAnew();
    return this.reading;
  }

  /** Calls back after each change of the copy, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    if (this.gapTimer !== null) clearTimeout(this.gapTimer);
    this.gapTimer = null;
    this.listeners.clear();
  }

  private async readAnew(): Promise<BoardSnapshot | null> {
    try {
      const snapshot = await this.read();
      this.reading = null;
      if (snapshot !== null) this.install(snapshot);
      return snapshot;
    } catch (error) {
      this.reading = null;
      for (const waiter of this.waiting) waiter.reject(error);
      this.waiting.clear();
      throw error;
    }
  }

  private install(snapshot: BoardSnapshot): void {
    if (!snapshot.loaded && this.whole === this.held) this.held = new Board(this.shape);
    this.held.restore(snapshot.content);
    if (snapshot.loaded) this.whole = this.held;
    this.current = { epoch: snapshot.epoch, seq: snapshot.seq };
    this.installed(snapshot);
    for (const seq of this.pending.keys()) if (seq <= snapshot.seq) this.pending.delete(seq);
    this.follow();
    this.changed();
  }

  private follow(): void {
    let moved = false;
    for (;;) {
      const message = this.pending.get(this.seq + 1);
      if (message === undefined) break;
      // It stays pending: reading the board passes it by, one that was read too early does not.
      if (!this.take(message)) {
        this.resyncInBackground();
        break;
      }
      this.pending.delete(message.seq);
      moved = true;
    }
    this.watchForGap();
    if (moved) this.changed();
  }

  /** @returns false when only reading the board anew helps */
  private take(message: BoardMessage): boolean {
    if (this.current === null || 'reload' in message) return false;
    if ('epoch' in message) {
      this.held.openUp();
      this.current = { epoch: message.epoch, seq: message.seq };
      return true;
    }
    // The script has judged the versions already.
    this.held.apply(message.states.map((state) => ({ ...state, basis: Infinity })));
    if (this.held.count !== message.count || !isSamePlace(this.held.floor, message.floor))
      return false;
    this.current = { ...this.current, seq: message.seq };
    return true;
  }

  private watchForGap(): void {
    if (this.gapTimer !== null) clearTimeout(this.gapTimer);
    this.gapTimer = null;
    if (this.pending.size === 0 || this.reading !== null) return;
    this.gapTimer = setTimeout(() => this.resyncInBackground(), GAP_PATIENCE);
  }

  /** Who waits for it hears of a failure; the watch of the boards tries again. */
  private resyncInBackground(): void {
    this.resync().catch(() => undefined);
  }

  private changed(): void {
    this.changes++;
    for (const waiter of this.waiting)
      if (waiter.seq <= this.seq) {
        this.waiting.delete(waiter);
        waiter.resolve();
      }
    for (const listener of this.listeners) listener();
  }
}

function isSamePlace(a: Place | null, b: Place | null): boolean {
  return a?.id === b?.id && a?.score === b?.score;
}
