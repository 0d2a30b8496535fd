import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { InjectRedis, RedisScript } from '../platform/redis';
import type { BoardContent, RankedState } from './board';
import type { Place, RankedRow } from './ranked-row';

/** A board as it stands in Redis at one moment. */
export interface BoardSnapshot {
  readonly epoch: string;
  readonly seq: number;
  /** False from when the board was made until its first load ends. */
  readonly loaded: boolean;
  readonly content: BoardContent;
  /** Per partition of the change log, the offset behind the last batch that was applied. */
  readonly nextOffsets: ReadonlyMap<number, number>;
}

/** What the watch compares, without the rows. */
export interface BoardVitals {
  /** Null when there is no board: never loaded, or lost. */
  readonly epoch: string | null;
  readonly seq: number;
  /** Open, while no load is under way that would close it. */
  readonly abandoned: boolean;
}

export interface ApplyRequest {
  /** Under which the caller decided which rows can matter. */
  readonly epoch: string;
  readonly partition: number;
  /** What the caller holds for the partition's next offset; undefined when it knows of none. */
  readonly expectedOffset: number | undefined;
  readonly nextOffset: number;
  readonly states: readonly RankedState[];
}

export type ApplyResult =
  { outcome: 'absent' } | { outcome: 'stale' } | { outcome: 'applied'; message: string };

export interface OpenRequest {
  /** Rows that the caller needs. */
  readonly capacity: number;
  /** Milliseconds for which the load counts as under way, unless it is prolonged. */
  readonly lease: number;
  /** Whether to take the place of a load that is under way, instead of giving way to it. */
  readonly insists: boolean;
}

/** What a load that has begun is to bring. */
export interface BoardOpening {
  readonly epoch: string;
  /** Rows that the board keeps: what the greediest process needs. */
  readonly capacity: number;
}

/** The best rows of the table, and the best one behind them. */
export interface TableTop {
  readonly rows: readonly RankedRow[];
  /** Null when the rows are the whole table. */
  readonly floor: Place | null;
}

/** Digits of the greatest id, 2^53-1: zero-padded, members of equal score sort by id. */
const ID_DIGITS = 16;

/** The boards in Redis. Every change is one script, so that no reader sees half of it. */
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

  /** Opens the board for a load, making it when there is none. @returns null when it gave way */
  async open(
    board: string,
    { capacity, lease, insists }: OpenRequest,
  ): Promise<BoardOpening | null> {
    const opened = await this.openScript.run(
      this.redis,
      [key(board, 'meta'), key(board, 'touched'), key(board, 'loading')],
      [this.channelOf(board), capacity, lease, insists ? 1 : 0],
    );
    return opened === null ? null : { epoch: opened[0], capacity: opened[1] };
  }

  /** Lets the load count as under way for that many milliseconds from now, unless it has lost. */
  async prolong(board: string, epoch: string, lease: number): Promise<void> {
    await this.leaseScript.run(this.redis, [key(board, 'loading')], [epoch, lease]);
  }

  /**
   * Merges what was read since `open` gave `epoch`, and closes the board.
   * @returns how many rows differed, or null when another load has opened it since
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

  /** Where the changes of a board are published. Channels know no databases, so it names ours. */
  channelOf(board: string): string {
    return `${key(board, 'changes')}@${this.redis.options.db ?? 0}`;
  }

  async vitals(board: string): Promise<BoardVitals> {
    // In this order: a load that ends between the two leaves the board closed.
    const [loading, [epoch, seq, open]] = await Promise.all([
      this.redis.exists(key(board, 'loading')),
      this.redis.hmget(key(board, 'meta'), 'epoch', 'seq', 'open'),
    ]);
    const abandoned = loading === 0 && open === '1';
    return { epoch: epoch ?? null, seq: Number(seq ?? 0), abandoned };
  }

  /**
   * Whether it is this process's turn to do a job of the board that one process at a time does.
   * @param duration milliseconds for which nobody else gets the turn
   */
  async takeTurn(board: string, job: string, duration: number): Promise<boolean> {
    const answer = await this.redis.set(key(board, `turn:${job}`), '1', 'PX', duration, 'NX');
    return answer === 'OK';
  }
}

/** The hash tag keeps a board on one slot of a cluster, as its scripts need. */
function key(board: string, part: string): string {
  return `ranking:{${board}}:${part}`;
}

function member(id: number): string {
  return String(id).padStart(ID_DIGITS, '0');
}

function script(name: string): string {
  return join(__dirname, `lua/${name}.lua`);
}
