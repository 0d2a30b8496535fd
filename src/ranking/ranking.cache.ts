import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis, RedisScript } from '../platform/redis';
import type { BoardContent, RankedState } from './board';
import type { Place, RankedRow } from './ranked-row';

/** A board in Redis at one moment. */
export interface BoardSnapshot {
  readonly epoch: string;
  readonly seq: number;
  /** False from the creation of the board until its first load ends. */
  readonly loaded: boolean;
  readonly content: BoardContent;
  /** By partition of the change log: the offset after the last batch that was applied. */
  readonly nextOffsets: ReadonlyMap<number, number>;
}

/** What `SharedBoard.watch` compares. */
export interface BoardStatus {
  /** Null when there is no board: never loaded, or lost. */
  readonly epoch: string | null;
  readonly seq: number;
  /** The board is open, but no load is under way that would close it. */
  readonly abandoned: boolean;
}

export interface ApplyRequest {
  /** The board's epoch when the caller decided which rows can matter. */
  readonly epoch: string;
  readonly partition: number;
  /** What the caller expects as the partition's next offset in Redis; undefined for none. */
  readonly expectedOffset: number | undefined;
  readonly nextOffset: number;
  readonly states: readonly RankedState[];
}

export type ApplyResult =
  { outcome: 'absent' } | { outcome: 'stale' } | { outcome: 'applied'; message: string };

export interface OpenRequest {
  /** Rows that the caller needs. */
  readonly capacity: number;
  /** For how long the load counts as under way, unless it is prolonged. */
  readonly leaseMs: number;
  /** Whether it replaces a load that is under way; otherwise the board is left to that load. */
  readonly replaces: boolean;
}

/** A load that has begun. */
export interface BoardOpening {
  readonly epoch: string;
  /** Rows that the board keeps: the most that any process needs. */
  readonly capacity: number;
}

/** The best rows of the table, and the next one after them. */
export interface TableTop {
  readonly rows: readonly RankedRow[];
  /** Null when the rows are the whole table. */
  readonly floor: Place | null;
}

/** Digits of the greatest id, 2^53 - 1: padded with zeros, members of equal score sort by id. */
const ID_DIGITS = 16;

/** The boards in Redis. Every change is one script, so that no reader sees a part of it. */
@Injectable()
export class RankingCache {
  private readonly applyScript = new RedisScript<[string, string?]>(script('board'));
  private readonly openScript = new RedisScript<[string, number] | null>(script('open'));
  private readonly leaseScript = new RedisScript(script('lease'));
  private readonly loadScript = new RedisScript<number>(script('load'));
  private readonly snapshotScript = new RedisScript<[string[], string[]]>(script('snapshot'));

  constructor(@InjectRedis() private readonly redis: Redis) {}

  /** Applies a batch and publishes what it changed. */
  async apply(board: string, request: ApplyRequest): Promise<ApplyResult> {
    const rows = request.states.flatMap(({ id, row, basis }) => [
      member(id),
      row === null ? '' : row.score,
      basis,
      row === null ? '' : JSON.stringify(row),
    ]);
    const [outcome, message] = await this.applyScript.run(
      this.redis,
      [key(board, 'scores'), key(board, 'rows'), key(board, 'meta'), key(board, 'touched')],
      [
        request.epoch,
        request.partition,
        request.expectedOffset ?? '',
        request.nextOffset,
        this.channelOf(board),
        ...rows,
      ],
    );
    if (outcome === 'absent' || outcome === 'stale') return { outcome };
    return { outcome: 'applied', message: message ?? '' };
  }

  /**
   * Opens the board for a load, and creates it if there is none.
   * @returns null when the board is left to a load that is under way
   */
  async open(
    board: string,
    { capacity, leaseMs, replaces }: OpenRequest,
  ): Promise<BoardOpening | null> {
    const opened = await this.openScript.run(
      this.redis,
      [key(board, 'meta'), key(board, 'touched'), key(board, 'loading')],
      [this.channelOf(board), capacity, leaseMs, replaces ? 1 : 0],
    );
    return opened === null ? null : { epoch: opened[0], capacity: opened[1] };
  }

  /** The load counts as under way for so long from now, unless another load has replaced it. */
  async prolong(board: string, epoch: string, leaseMs: number): Promise<void> {
    await this.leaseScript.run(this.redis, [key(board, 'loading')], [epoch, leaseMs]);
  }

  /**
   * Merges the rows that were read since `open` returned `epoch`, and closes the board.
   * @returns how many rows differed; null when another load has opened the board since
   */
  async load(board: string, epoch: string, { rows, floor }: TableTop): Promise<number | null> {
    const differing = await this.loadScript.run(
      this.redis,
      ['scores', 'rows', 'meta', 'touched', 'loading'].map((part) => key(board, part)),
      [
        epoch,
        this.channelOf(board),
        floor === null ? '' : member(floor.id),
        floor === null ? '' : floor.score,
        ...rows.flatMap((row) => [member(row.id), row.score, row.version, JSON.stringify(row)]),
      ],
    );
    return differing < 0 ? null : differing;
  }

  /** The whole board; null when there is none. */
  async snapshot(board: string): Promise<BoardSnapshot | null> {
    const keys = [key(board, 'rows'), key(board, 'meta')];
    const [fields, rows] = await this.snapshotScript.run(this.redis, keys, []);
    const meta = new Map<string, string>();
    for (let i = 0; i < fields.length; i += 2) meta.set(fields[i] ?? '', fields[i + 1] ?? '');
    const epoch = meta.get('epoch');
    if (epoch === undefined) return null;
    const floorMember = meta.get('floor_member');
    return {
      epoch,
      seq: Number(meta.get('seq')),
      loaded: meta.get('loaded') === '1',
      content: {
        rows: rows.map((row) => JSON.parse(row) as RankedRow),
        floor:
          floorMember === undefined
            ? null
            : { id: Number(floorMember), score: Number(meta.get('floor_score')) },
        open: meta.get('open') === '1',
        capacity: Number(meta.get('capacity')),
      },
      nextOffsets: new Map(
        [...meta]
          .filter(([field]) => field.startsWith('next:'))
          .map(([field, offset]) => [Number(field.slice('next:'.length)), Number(offset)]),
      ),
    };
  }

  /** The channel of a board's changes. Channels belong to no database, so its name contains ours. */
  channelOf(board: string): string {
    return `${key(board, 'changes')}@${this.redis.options.db ?? 0}`;
  }

  async status(board: string): Promise<BoardStatus> {
    // In this order: if the load ends between the two, the board is seen as closed.
    const [loading, [epoch, seq, open]] = await Promise.all([
      this.redis.exists(key(board, 'loading')),
      this.redis.hmget(key(board, 'meta'), 'epoch', 'seq', 'open'),
    ]);
    const abandoned = loading === 0 && open === '1';
    return { epoch: epoch ?? null, seq: Number(seq ?? 0), abandoned };
  }

  /**
   * Whether this process may do a job of the board that one process at a time does.
   * @param durationMs for how long no other process gets the turn
   */
  async takeTurn(board: string, job: string, durationMs: number): Promise<boolean> {
    const answer = await this.redis.set(key(board, `turn:${job}`), '1', 'PX', durationMs, 'NX');
    return answer === 'OK';
  }
}

/** The hash tag keeps a board in one slot of a cluster, as its scripts need. */
function key(board: string, part: string): string {
  return `ranking:{${board}}:${part}`;
}

function member(id: number): string {
  return String(id).padStart(ID_DIGITS, '0');
}

function script(name: string): string {
  return join(__dirname, `lua/${name}.lua`);
}
