import { Injectable } from '@nestjs/common';
import type { RowChange, TableChange } from '../cdc';
import type { CounterRow } from '../interactive';
import type { MessageBatch } from '../messaging';
import { Environment } from '../platform/config';
import { UnavailableError } from '../platform/errors';
import { ValidationFailedError } from '../platform/http';
import { withTimeout } from '../platform/timing';
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
import { SharedBoard, type LoadReason } from './shared-board';
import { NotRankedError, UnknownBoardError } from './ranking.errors';
import { RankingCache } from './ranking.cache';
import { RankingRepository } from './ranking.repository';
import { lastStates } from './row-state';

/** How long a request waits for the first load of a board, right after the boot. */
const FIRST_LOAD_TIMEOUT_MS = 3_000;

/** Rows in the answer to a request without a limit. */
const DEFAULT_LIMIT = 10;

/** The boards in this process. */
@Injectable()
export class RankingService {
  private readonly live: readonly { board: SharedBoard; definition: LiveBoardDefinition }[];
  private readonly hot: SharedBoard;
  private readonly feeds = new Map<string, BoardFeed>();
  private readonly byName = new Map<string, SharedBoard>();

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

  get boards(): readonly SharedBoard[] {
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
   * The answer of a board's route, now and after each change.
   * @throws UnknownBoardError, ValidationFailedError for a limit above the board's size,
   * UnavailableError before its first load
   */
  board(name: string, limit?: number): Promise<StreamedState> {
    return this.streamed(name, limit, 'json');
  }

  /** The same with the board's name in the data. */
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
   * Applies a batch of captured changes to every live board.
   * @param changes of the table `interactives` in the batch
   */
  async apply(
    { partition, messages }: MessageBatch<RowChange[]>,
    changes: readonly TableChange<CounterRow>[],
  ): Promise<void> {
    const first = messages[0];
    const last = messages.at(-1);
    if (first === undefined || last === undefined) return;
    const states = lastStates(changes);
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

  /** Loads all live boards from the database. */
  async load(reason: LoadReason): Promise<void> {
    await Promise.all(this.live.map(({ board }) => board.load(reason)));
  }

  /**
   * Compares the live boards with the database, unless another process has this turn.
   * @param job names the turn
   * @param turnMs for how long no other process gets it
   */
  async reconcile(job: string, turnMs: number): Promise<void> {
    for (const { board } of this.live)
      if (await this.cache.takeTurn(board.definition.name, job, turnMs))
        await board.load('reconcile');
  }

  /** Computes `hot`, unless another process has this turn. */
  async refreshHot(turnMs: number): Promise<void> {
    if (await this.cache.takeTurn(HOT_BOARD.name, 'refresh', turnMs)) await this.hot.load('due');
  }

  private followTable(definition: LiveBoardDefinition, size: number): SharedBoard {
    const { name, orderBy } = definition;
    return new SharedBoard(definition, shapeOf(definition, size), this.cache, {
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

  private computed(definition: BoardDefinition, size: number): SharedBoard {
    return new SharedBoard(definition, shapeOf(definition, size), this.cache, {
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

  private async loaded(name: string): Promise<SharedBoard> {
    const board = this.byName.get(name);
    if (board === undefined) throw new UnknownBoardError(name);
    if (board.replica.shown === null) await firstLoad(board);
    return board;
  }
}

async function firstLoad({ replica, definition }: SharedBoard): Promise<void> {
  let unsubscribe: () => void = () => undefined;
  const loaded = new Promise<void>((resolve) => {
    unsubscribe = replica.onChange(() => {
      if (replica.shown !== null) resolve();
    });
  });
  const notLoaded = (): Error =>
    new UnavailableError('redis', `board ${definition.name} is not loaded yet`);
  try {
    await withTimeout(FIRST_LOAD_TIMEOUT_MS, loaded, notLoaded);
  } finally {
    unsubscribe();
  }
}
