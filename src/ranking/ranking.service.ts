import { Injectable } from '@nestjs/common';
import type { RowChange } from '../cdc';
import type { MessageBatch } from '../messaging';
import { Environment } from '../platform/config';
import { UnavailableError } from '../platform/errors';
import { ValidationFailedError } from '../platform/http';
import {
  type BoardDefinition,
  HOT_BOARD,
  LIVE_BOARDS,
  type LiveBoardDefinition,
  ranked,
  shapeOf,
} from './board-definition';
import { BoardFeed, shown } from './board-feed';
import type { StreamedState } from './board-stream';
import type { BoardSummary } from './dto/board-summary';
import type { RankedItem } from './dto/ranked-row.dto';
import { LiveBoard, type LoadReason } from './live-board';
import { NotRankedError, UnknownBoardError } from './ranking.errors';
import { RankingCache } from './ranking.cache';
import { RankingRepository } from './ranking.repository';
import { lastStates } from './row-state';

/** Milliseconds that a request waits for the first load of a board, right after the boot. */
const FIRST_LOAD_PATIENCE = 3_000;

/** Rows that are shown when a request names no limit. */
const DEFAULT_LIMIT = 10;

/** The boards of this process, and all that is asked of them. */
@Injectable()
export class RankingService {
  private readonly live: readonly { board: LiveBoard; definition: LiveBoardDefinition }[];
  private readonly hot: LiveBoard;
  private readonly feeds = new Map<string, BoardFeed>();
  private readonly byName = new Map<string, LiveBoard>();

  constructor(
    environment: Environment,
    private readonly cache: RankingCache,
    private readonly repository: RankingRepository,
  ) {
    const size = environment.RANKING_SIZE;
    this.live = LIVE_BOARDS.map((definition) => ({
      definition,
      board: this.followTable(definition, size),
    }));
    this.hot = this.computed(HOT_BOARD, size);
    for (const board of this.boards) {
      this.byName.set(board.definition.name, board);
      this.feeds.set(board.definition.name, new BoardFeed(board));
    }
  }

  get boards(): readonly LiveBoard[] {
    return [...this.live.map(({ board }) => board), this.hot];
  }

  list(): BoardSummary[] {
    return this.boards.map(({ definition, shape }) => ({
      name: definition.name,
      orderBy: definition.orderBy,
      size: shape.size,
      ...(definition.biz === undefined ? {} : { biz: definition.biz }),
    }));
  }

  /**
   * The board as its route answers it, now and after each change.
   * @throws UnknownBoardError, ValidationFailedError for a limit above the board's size,
   * UnavailableError before its first load
   */
  board(name: string, limit?: number): Promise<StreamedState> {
    return this.streamed(name, limit, 'json');
  }

  /** Likewise, with the board's name in the data. */
  named(name: string, limit?: number): Promise<StreamedState> {
    return this.streamed(name, limit, 'named');
  }

  /** @throws UnknownBoardError, NotRankedError, UnavailableError before the first load */
  async item(name: string, id: number): Promise<RankedItem> {
    const board = await this.loaded(name);
    const item = board.item(id);
    if (item === null) throw new NotRankedError(name, id);
    return { rank: item.rank, row: shown(item.row) };
  }

  /**
   * Brings a batch of captured changes into every live board.
   * @param schema whose changes matter
   */
  async apply({ partition, messages }: MessageBatch<RowChange[]>, schema: string): Promise<void> {
    const first = messages[0];
    const last = messages.at(-1);
    if (first === undefined || last === undefined) return;
    const changes = messages.flatMap(({ value }) => value);
    const states = lastStates(changes, schema);
    const batch = { partition, firstOffset: first.offset, nextOffset: last.offset + 1 };
    await Promise.all(
      this.live.map(({ board, definition: { orderBy } }) =>
        board.apply({
          ...batch,
          states: states.map(({ id, row, basis }) => ({
            id,
            row: row === null ? null : ranked(row, orderBy),
            basis,
          })),
        }),
      ),
    );
  }

  /** Reads all live boards from the database. */
  async load(reason: LoadReason): Promise<void> {
    await Promise.all(this.live.map(({ board }) => board.load(reason)));
  }

  /** Compares the live boards with the database, whichever process's turn it is. */
  async reconcile(period: number): Promise<void> {
    for (const { board } of this.live)
      if (await this.cache.takeTurn(board.definition.name, 'reconcile', period))
        await board.load('reconcile');
  }

  /** Computes `hot` anew, whichever process's turn it is. */
  async refreshHot(period: number): Promise<void> {
    if (await this.cache.takeTurn(HOT_BOARD.name, 'refresh', period)) await this.hot.load('due');
  }

  private followTable(definition: LiveBoardDefinition, size: number): LiveBoard {
    const { name, orderBy } = definition;
    return new LiveBoard(definition, shapeOf(definition, size), this.cache, {
      top: async (limit) => {
        await this.repository.awaitCaptured(name);
        return this.repository.top(orderBy, limit);
      },
      current: async (ids) => {
        await this.repository.awaitCaptured(name);
        return this.repository.current(orderBy, ids);
      },
    });
  }

  private computed(definition: BoardDefinition, size: number): LiveBoard {
    return new LiveBoard(definition, shapeOf(definition, size), this.cache, {
      top: async (limit) => ({ rows: await this.repository.hot(limit, Date.now()), floor: null }),
      current: async () => [],
    });
  }

  private async streamed(
    name: string,
    limit: number | undefined,
    form: 'json' | 'named',
  ): Promise<StreamedState> {
    const { shape } = await this.loaded(name);
    if (limit !== undefined && limit > shape.size)
      throw new ValidationFailedError([
        { field: 'limit', message: `must be at most ${shape.size}, the board's size` },
      ]);
    const feed = this.feeds.get(name) as BoardFeed;
    const length = limit ?? Math.min(DEFAULT_LIMIT, shape.size);
    return {
      data: () => feed.answer(length)[form],
      onChange: (listener) => feed.onChange(listener),
    };
  }

  private async loaded(name: string): Promise<LiveBoard> {
    const board = this.byName.get(name);
    if (board === undefined) throw new UnknownBoardError(name);
    if (board.replica.shown === null) await firstLoad(board);
    return board;
  }
}

function firstLoad({ replica, definition }: LiveBoard): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = replica.onChange(() => {
      if (replica.shown !== null) finish(resolve);
    });
    const timer = setTimeout(
      () =>
        finish(() =>
          reject(new UnavailableError('redis', `board ${definition.name} is not loaded yet`)),
        ),
      FIRST_LOAD_PATIENCE,
    );
    function finish(settle: () => void): void {
      clearTimeout(timer);
      stop();
      settle();
    }
  });
}
