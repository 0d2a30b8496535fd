import { Board, type BoardShape } from './board';
import type { Place, RankedRow } from './ranked-row';
import type { BoardSnapshot } from './ranking.cache';

/** A message of the scripts; their numbers have no gaps. */
type BoardMessage =
  /** The board was opened for a load. */
  | { seq: number; epoch: string }
  /** More has changed than a message can contain: read the board. */
  | { seq: number; reload: true }
  /** Rows have changed; `count` and `floor` are those after the change. */
  | {
      seq: number;
      count: number;
      floor: Place | null;
      states: { id: number; row: RankedRow | null }[];
    };

/** How long a missing message is waited for before the board is read instead. */
const GAP_TIMEOUT_MS = 100;

/**
 * A process's copy of a board. It applies the numbered changes that Redis publishes by the same rules
 * as Redis itself, and checks the result. When a number is missing or the result differs, it reads
 * the whole board from Redis.
 */
export class BoardReplica {
  private held: Board;
  private lastLoaded: Board | null = null;
  private current: Pick<BoardSnapshot, 'epoch' | 'seq'> | null = null;
  private readonly pending = new Map<number, BoardMessage>();
  private readonly waiters = new Set<{ seq: number; resolve(): void; reject(e: unknown): void }>();
  private readonly listeners = new Set<() => void>();
  private reading: Promise<BoardSnapshot | null> | null = null;
  private gapTimer: NodeJS.Timeout | null = null;
  private changes = 0;

  /**
   * @param read reads the board from Redis; null when there is none
   * @param onInstalled called in the same turn in which the copy becomes what was read
   */
  constructor(
    private readonly shape: BoardShape,
    private readonly read: () => Promise<BoardSnapshot | null>,
    private readonly onInstalled: (snapshot: BoardSnapshot) => void,
  ) {
    this.held = new Board(shape);
  }

  /** The same as in Redis: batches are decided by it. */
  get board(): Board {
    return this.held;
  }

  /**
   * The board that readers see: the same, except while the board in Redis has not been loaded yet. Then
   * it is the loaded board before it; null when there was none.
   */
  get shown(): Board | null {
    return this.lastLoaded;
  }

  /** The number of the last change in it; 0 before the first read. */
  get seq(): number {
    return this.current?.seq ?? 0;
  }

  /** Null before the first read. */
  get epoch(): string | null {
    return this.current?.epoch ?? null;
  }

  /** Rises with every change of the copy. */
  get revision(): number {
    return this.changes;
  }

  /** Takes a published change. Changes may arrive in any order, and more than once. */
  receive(text: string): void {
    const message = JSON.parse(text) as BoardMessage;
    if (message.seq <= this.seq) return;
    this.pending.set(message.seq, message);
    if (this.reading === null && this.current !== null) this.follow();
  }

  /** Resolves once the copy has the change of that number. @throws when Redis cannot be read */
  reach(seq: number): Promise<void> {
    if (this.seq >= seq) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiters.add({ seq, resolve, reject }));
  }

  /**
   * Reads the whole board; calls during a read share it.
   * @returns what was read; null when Redis has no board: the copy then stays as it is
   */
  resync(): Promise<BoardSnapshot | null> {
    this.reading ??= this.readBoard();
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

  private async readBoard(): Promise<BoardSnapshot | null> {
    try {
      const snapshot = await this.read();
      this.reading = null;
      if (snapshot !== null) this.install(snapshot);
      return snapshot;
    } catch (error) {
      this.reading = null;
      for (const waiter of this.waiters) waiter.reject(error);
      this.waiters.clear();
      throw error;
    }
  }

  private install(snapshot: BoardSnapshot): void {
    // Readers go on seeing the loaded board.
    if (!snapshot.loaded && this.lastLoaded === this.held) this.held = new Board(this.shape);
    this.held.restore(snapshot.content);
    if (snapshot.loaded) this.lastLoaded = this.held;
    this.current = { epoch: snapshot.epoch, seq: snapshot.seq };
    this.onInstalled(snapshot);
    for (const seq of this.pending.keys()) if (seq <= snapshot.seq) this.pending.delete(seq);
    this.follow();
    this.changed();
  }

  private follow(): void {
    let moved = false;
    for (;;) {
      const message = this.pending.get(this.seq + 1);
      if (message === undefined) break;
      // If not it stays pending: a read that was too early to contain it is then repeated.
      if (!this.apply(message)) {
        this.resyncInBackground();
        break;
      }
      this.pending.delete(message.seq);
      moved = true;
    }
    this.watchForGap();
    if (moved) this.changed();
  }

  /** @returns false when the board must be read again */
  private apply(message: BoardMessage): boolean {
    if (this.current === null || 'reload' in message) return false;
    if ('epoch' in message) {
      this.held.openUp();
      this.current = { epoch: message.epoch, seq: message.seq };
      return true;
    }
    // The script has compared the versions already.
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
    this.gapTimer = setTimeout(() => this.resyncInBackground(), GAP_TIMEOUT_MS);
  }

  /** A failure rejects the calls of `reach`; `SharedBoard.watch` tries again. */
  private resyncInBackground(): void {
    this.resync().catch(() => undefined);
  }

  private changed(): void {
    this.changes++;
    for (const waiter of this.waiters)
      if (waiter.seq <= this.seq) {
        this.waiters.delete(waiter);
        waiter.resolve();
      }
    for (const listener of this.listeners) listener();
  }
}

function isSamePlace(a: Place | null, b: Place | null): boolean {
  return a?.id === b?.id && a?.score === b?.score;
}
