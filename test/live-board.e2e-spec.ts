import { Redis } from 'ioredis';
import { asRoot, engines, eventually, Program, Sql } from './support';

interface Row {
  id: number;
  biz_id: number;
  biz: string;
  read_cnt: number;
  like_cnt: number;
  collect_cnt: number;
  score: number;
}

interface Board {
  code: number;
  msg: string;
  data: Row[];
}

const SCENARIO = [
  [78, 450],
  [58, 290],
  [20, 108],
  [60, 98],
  [72, 80],
  [56, 80],
  [62, 79],
  [64, 55],
  [68, 54],
  [70, 53],
] as const;

describe.each(engines)('live boards on $name', (engine) => {
  let env: Record<string, string>;
  let sql: Sql;
  let redis: Redis;
  const programs: Program[] = [];

  /** Everything is written by SQL, not through the program. */
  const insert = (id: number, likes: number, bizId = 1_000 + id): Promise<unknown> =>
    sql.change(
      `INSERT INTO interactives (id, biz, biz_id, read_cnt, like_cnt, collect_cnt, ctime, utime)
       VALUES (?, 'et', ?, 0, ?, 0, 1, 1)`,
      [id, bizId, likes],
    );
  const setLikes = (id: number, likes: number): Promise<unknown> =>
    sql.change('UPDATE interactives SET like_cnt = ? WHERE id = ?', [likes, id]);

  async function start(overrides: Record<string, string> = {}): Promise<Program> {
    const program = await Program.start({ env: { ...env, RANKING_SIZE: '10', ...overrides } });
    programs.push(program);
    return program;
  }

  async function board(program: Program, name = 'likes'): Promise<[number, number][]> {
    const { body } = await program.get<Board>(`/api/ranking/${name}`);
    return body.data.map(({ id, score }) => [id, score]);
  }

  const becomes = (program: Program, expected: readonly (readonly [number, number])[]) =>
    eventually(async () => expect(await board(program)).toEqual(expected));

  /** Waits until the program has handled all earlier writes: the last one is of a row that it shows. */
  async function caughtUp(program: Program): Promise<void> {
    await sql.change('UPDATE interactives SET collect_cnt = collect_cnt + 1 WHERE id = 78');
    const [row] = await sql.rows<{ n: number }>(
      'SELECT collect_cnt AS n FROM interactives WHERE id = 78',
    );
    await eventually(async () => {
      const { body } = await program.get<{ row: Row }>('/api/ranking/likes/items/78');
      expect(body.row.collect_cnt).toBe(row?.n);
    });
  }

  /** Waits until everything that was captured is handled, and stops the program. */
  async function handleAll(program: Program): Promise<void> {
    await sql.change('DELETE FROM interactives');
    await insert(78, 1, 11);
    await becomes(program, [[78, 1]]);
    await eventually(async () => {
      const { body } = await program.get<string>('/metrics');
      const lags = [...body.matchAll(/webook_consumer_lag\{group="ranking",.*\} (\d+)/g)];
      expect(lags.map(([, lag]) => lag)).toEqual(['0', '0', '0']);
    });
    await program.stop();
  }

  async function membersInRedis(): Promise<number[]> {
    const members = await redis.zrevrange('ranking:{likes}:scores', 0, -1);
    return members.map(Number);
  }

  beforeAll(async () => {
    env = await engine.prepare('live_board');
    sql = await Sql.open(env.MYSQL_URL!);
    redis = new Redis(env.REDIS_URL!);
  });

  beforeEach(async () => {
    // The first program of a suite creates the tables, and handles what the suites before have left:
    // their rows had the same ids, and there is no order between partitions.
    if (programs.length === 0) await handleAll(await start());
    await sql.change('DELETE FROM interactives');
    for (const [id, likes] of SCENARIO) await insert(id, likes, id === 78 ? 11 : undefined);
  });

  afterEach(() => Promise.all(programs.map((program) => program.stop())));

  afterAll(async () => {
    redis?.disconnect();
    await sql?.close();
  });

  it('follows the scenario: a low row, a new second, two updates', async () => {
    const program = await start();
    await becomes(program, SCENARIO);

    await insert(80, 52);
    await caughtUp(program);
    expect(await board(program)).toEqual(SCENARIO);

    await insert(82, 400, 100);
    const second = [SCENARIO[0], [82, 400], ...SCENARIO.slice(1, 9)] as const;
    await becomes(program, second);

    await setLikes(78, 650);
    await setLikes(82, 550);
    await becomes(program, [[78, 650], [82, 550], ...SCENARIO.slice(1, 9)]);

    const { status, body } = await program.get<Board>('/api/ranking/likes?limit=2');
    expect(status).toBe(200);
    expect(body).toEqual({
      code: 200,
      msg: expect.any(String),
      data: [
        expect.objectContaining({ id: 78, biz_id: 11, biz: 'et', read_cnt: 0, like_cnt: 650 }),
        {
          id: 82,
          biz_id: 100,
          biz: 'et',
          read_cnt: 0,
          like_cnt: 550,
          collect_cnt: 0,
          score: 550,
        },
      ],
    });
    const out = await program.get<{ code: string }>('/api/ranking/likes/items/70');
    expect([out.status, out.body.code]).toEqual([404, 'NOT_RANKED']);
    const first = await program.get<{ rank: number; row: Row }>('/api/ranking/likes/items/82');
    expect(first.body).toMatchObject({ rank: 2, row: { id: 82, score: 550 } });
  });

  it('shows the next row when a row is decremented or deleted', async () => {
    const program = await start();
    await insert(71, 52);
    await insert(73, 51);
    await becomes(program, SCENARIO);
    await setLikes(78, 1);
    await becomes(program, [...SCENARIO.slice(1), [71, 52]]);
    await sql.change('DELETE FROM interactives WHERE id IN (58, 20)');
    await becomes(program, [...SCENARIO.slice(3), [71, 52], [73, 51], [78, 1]]);
    await eventually(async () => expect(await membersInRedis()).not.toContain(58));
  });

  it('is refilled from the database when more than the reserve has fallen', async () => {
    const program = await start();
    await becomes(program, SCENARIO);
    // 60 rows are kept; 120 more enter above all others, and evict one another.
    const values = Array.from({ length: 120 }, (_, i) => [2_000 + i, 'et', 9_000 + i, 1_000 + i]);
    await sql.change('INSERT INTO interactives (id, biz, biz_id, like_cnt) VALUES ?', [values]);
    await eventually(async () => expect((await board(program))[0]).toEqual([2_119, 1_119]));
    await eventually(async () => expect(await membersInRedis()).toHaveLength(60));
    await sql.change('DELETE FROM interactives WHERE id >= 2040');
    const rest = Array.from({ length: 10 }, (_, i) => [2_039 - i, 1_039 - i] as const);
    await becomes(program, rest);
    await sql.change('DELETE FROM interactives WHERE id >= 2000');
    await becomes(program, SCENARIO);
  });

  it('has the changes that were made while the program was down', async () => {
    const first = await start();
    await becomes(first, SCENARIO);
    await setLikes(58, 9_000);
    await becomes(first, [[58, 9_000], SCENARIO[0], ...SCENARIO.slice(2)]);
    expect(await first.stop()).toBe(0);
    await setLikes(58, 30);
    await insert(82, 400, 100);
    await sql.change('DELETE FROM interactives WHERE id = 60');
    await setLikes(70, 79);
    const second = await start();
    const expected = [
      [78, 450],
      [82, 400],
      [20, 108],
      [72, 80],
      [56, 80],
      [70, 79],
      [62, 79],
      [64, 55],
      [68, 54],
      [58, 30],
    ] as const;
    await becomes(second, expected);
    await setLikes(82, 550);
    await becomes(second, [[82, 550], [78, 450], ...expected.slice(2)]);
  });

  it.each([
    ['TRUNCATE', 'TRUNCATE TABLE interactives'],
    [
      'a new table in its place',
      'RENAME TABLES interactives TO before_it, prepared TO interactives',
    ],
  ])('has no row that %s removes, and neither have the cached counters', async (_, ddl) => {
    const program = await start();
    await becomes(program, SCENARIO);
    const likes = async (): Promise<number> =>
      (await program.get<{ likeCnt: number }>('/api/interactive/et/11')).body.likeCnt;
    await eventually(async () => expect(await likes()).toBe(450));
    await sql.change('DROP TABLE IF EXISTS prepared, before_it');
    await sql.change('CREATE TABLE prepared LIKE interactives');
    await sql.change(ddl);
    await becomes(program, []);
    await eventually(async () => expect(await likes()).toBe(0));
    await sql.change('DROP TABLE IF EXISTS prepared, before_it');
    const { body } = await program.get<string>('/metrics');
    expect(body).toMatch(/^webook_ranking_loads_total\{board="likes",reason="gap"\} [1-9]/m);
  });

  it('has changes that are not captured as rows, and so have the cached counters', async () => {
    const program = await start();
    await becomes(program, SCENARIO);
    const likes = async (): Promise<number> =>
      (await program.get<{ likeCnt: number }>('/api/interactive/et/11')).body.likeCnt;
    const show = async (count: number): Promise<void> => {
      await eventually(async () => expect(await likes()).toBe(count));
      await becomes(program, [[78, count], ...SCENARIO.slice(1)]);
    };
    await show(450);
    const update = (count: number): string =>
      `UPDATE interactives SET like_cnt = ${count} WHERE id = 78`;
    await asRoot(sql, async (root) => {
      await root.query(`USE ${new URL(env.MYSQL_URL!).pathname.slice(1)}`);
      await root.query('SET SESSION binlog_row_image = MINIMAL');
      await root.query(update(451));
      await show(451);
      await root.query('SET SESSION binlog_format = STATEMENT');
      await root.query(update(452));
      await show(452);
      await root.query('SET SESSION binlog_format = ROW, binlog_row_image = FULL');
      await root.query("XA START 'x'");
      await root.query(update(453));
      await root.query("XA END 'x'");
      await root.query("XA PREPARE 'x'");
      await root.query("XA COMMIT 'x'");
      await show(453);
    });
  });

  it('is restored without help after Redis lost everything', async () => {
    const program = await start();
    await becomes(program, SCENARIO);
    await redis.flushdb();
    await sql.change('DELETE FROM interactives WHERE id = 58');
    await eventually(async () => expect(await membersInRedis()).toHaveLength(9));
    await becomes(program, [SCENARIO[0], ...SCENARIO.slice(2)]);
    // Also by each change again, not only by the next comparison with the database.
    for (const likes of [500, 501, 502]) {
      await setLikes(20, likes);
      await becomes(program, [[20, likes], SCENARIO[0], ...SCENARIO.slice(3)]);
    }
  });

  it('is the same on several instances, also when one of them is killed', async () => {
    const [first, second, api] = [await start(), await start(), await start({ ROLE: 'api' })];
    await insert(82, 400, 100);
    const expected = [SCENARIO[0], [82, 400], ...SCENARIO.slice(1, 9)] as const;
    for (const program of [first, second, api]) await becomes(program, expected);
    await first.kill();
    await setLikes(78, 650);
    await setLikes(20, 651);
    const after = [[20, 651], [78, 650], [82, 400], SCENARIO[1], ...SCENARIO.slice(3, 9)] as const;
    for (const program of [second, api])
      await eventually(async () => expect(await board(program)).toEqual(after), {
        // The killed instance's partitions must be assigned to another one first.
        timeoutMs: 60_000,
      });
  });
});

describe('the ranking routes', () => {
  let env: Record<string, string>;
  let program: Program;
  let sql: Sql;

  const start = (): Promise<Program> => Program.start({ env: { ...env, RANKING_SIZE: '12' } });
  const metric = async (pattern: RegExp): Promise<number> => {
    const { body } = await program.get<string>('/metrics');
    return Number(pattern.exec(body)?.[1] ?? 0);
  };

  beforeAll(async () => {
    env = await engines[0]!.prepare('ranking_routes');
    program = await start();
    sql = await Sql.open(env.MYSQL_URL!);
    await sql.change(
      `INSERT INTO interactives (biz, biz_id, read_cnt, like_cnt, collect_cnt)
       VALUES ('article', 1, 5, 9, 1), ('article', 2, 9, 5, 0), ('video', 3, 7, 7, 7)`,
    );
    await eventually(async () => {
      for (const name of ['likes', 'reads', 'collects'])
        expect((await program.get<Board>(`/api/ranking/${name}`)).body.data).toHaveLength(3);
    });
  });

  afterAll(async () => {
    await program.stop();
    await sql.close();
  });

  it('lists the boards', async () => {
    const { body } = await program.get('/api/ranking');
    expect(body).toEqual({
      items: [
        { name: 'likes', orderBy: 'like_cnt', size: 12 },
        { name: 'reads', orderBy: 'read_cnt', size: 12 },
        { name: 'collects', orderBy: 'collect_cnt', size: 12 },
        { name: 'hot', orderBy: 'hot', size: 12, biz: 'article' },
      ],
    });
  });

  it('orders each board by its own count', async () => {
    const order = async (name: string): Promise<number[]> =>
      (await program.get<Board>(`/api/ranking/${name}`)).body.data.map(({ biz_id }) => biz_id);
    expect(await order('likes')).toEqual([1, 3, 2]);
    expect(await order('reads')).toEqual([2, 3, 1]);
    expect(await order('collects')).toEqual([3, 1, 2]);
  });

  it('computes the hot board from recent articles', async () => {
    const now = Date.now();
    const day = 86_400_000;
    const articles = [
      [1, 1, 'old', '', 2, now - 3 * day],
      [2, 1, 'new', '', 2, now - 60_000],
      [4, 1, 'withdrawn', '', 3, now],
      [5, 1, 'too old', '', 2, now - 30 * day],
    ];
    await sql.change(
      'INSERT INTO published_articles (id, author_id, title, content, status, ctime) VALUES ?',
      [articles],
    );
    await sql.change(
      "INSERT INTO interactives (biz, biz_id, like_cnt) VALUES ('article', 4, 99), ('article', 5, 99)",
    );
    const data = await eventually(async () => {
      const { body } = await program.get<Board>('/api/ranking/hot');
      expect(body.data.map(({ biz_id }) => biz_id)).toEqual([2, 1]);
      return body.data;
    });
    const seconds = (Date.now() - now) / 1000 + 60;
    expect(data[0]!.score).toBeLessThanOrEqual(4 / 62 ** 1.5);
    expect(data[0]!.score).toBeGreaterThanOrEqual(4 / (seconds + 2) ** 1.5);
  });

  it.each([
    ['/api/ranking/nothing', 404, 'BOARD_NOT_FOUND'],
    ['/api/ranking/nothing/stream', 404, 'BOARD_NOT_FOUND'],
    ['/api/ranking/nothing/items/1', 404, 'BOARD_NOT_FOUND'],
    ['/api/ranking/stream?boards=likes,nothing', 404, 'BOARD_NOT_FOUND'],
    ['/api/ranking/likes/items/999', 404, 'NOT_RANKED'],
    ['/api/ranking/likes/items/0', 400, 'VALIDATION_FAILED'],
    ['/api/ranking/likes?limit=0', 400, 'VALIDATION_FAILED'],
    ['/api/ranking/likes?limit=13', 400, 'VALIDATION_FAILED'],
    ['/api/ranking/likes?limit=1.5', 400, 'VALIDATION_FAILED'],
    ['/api/ranking/likes/stream?limit=x', 400, 'VALIDATION_FAILED'],
  ])('answers %s with %d %s', async (path, status, code) => {
    const answer = await program.get<{ code: string }>(path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  it('streams a board at connect and after each change', async () => {
    const stream = await EventStream.open(`${program.url}/api/ranking/likes/stream?limit=1`);
    const first = JSON.parse(await stream.next()) as Board;
    expect(first).toEqual((await program.get('/api/ranking/likes?limit=1')).body);
    await sql.change('UPDATE interactives SET like_cnt = 1000 WHERE biz_id = 3');
    const moved = JSON.parse(await stream.next()) as Board;
    expect(moved.data).toMatchObject([{ biz_id: 3, like_cnt: 1000 }]);
    await stream.close();
  });

  it('streams several boards on one connection, each with its name', async () => {
    const stream = await EventStream.open(`${program.url}/api/ranking/stream?boards=likes,reads`);
    const names = [await stream.next(), await stream.next()].map(
      (data) => (JSON.parse(data) as { board: string }).board,
    );
    expect(names).toEqual(['likes', 'reads']);
    await eventually(async () => expect(await metric(/^webook_ranking_streams (\d+)$/m)).toBe(1));
    await stream.close();
    await eventually(async () => expect(await metric(/^webook_ranking_streams (\d+)$/m)).toBe(0));
    const { body } = await program.get<string>('/metrics');
    expect(body).not.toMatch(/route="\/api\/ranking\/stream",status="200"/);
  });

  it('answers with the former board until a board that Redis has lost is loaded, or with 503 if there was none', async () => {
    const redis = new Redis(env.REDIS_URL!);
    const locker = await Sql.open(env.MYSQL_URL!);
    const before = (await program.get('/api/ranking/likes')).body;
    // No load ends while this table is locked.
    await locker.change('LOCK TABLES ranking_loads WRITE');
    await redis.del(await redis.keys('ranking:*'));
    const young = await start();
    try {
      const early = await young.get<{ code: string }>('/api/ranking/likes');
      expect([early.status, early.body.code]).toEqual([503, 'UNAVAILABLE']);
      await sql.change("INSERT INTO interactives (biz, biz_id, like_cnt) VALUES ('et', 70, 7000)");
      // The board in Redis accepts changes, and no other row is on it yet.
      await eventually(async () => expect(await redis.hlen('ranking:{likes}:rows')).toBe(1));
      expect((await program.get('/api/ranking/likes')).body).toEqual(before);
      await locker.change('UNLOCK TABLES');
      for (const each of [program, young])
        await eventually(async () => {
          const { body } = await each.get<Board>('/api/ranking/likes');
          expect(body.data.map(({ biz_id }) => biz_id)).toEqual([70, 3, 5, 4, 1, 2]);
        });
    } finally {
      await locker.close();
      redis.disconnect();
      await young.stop();
    }
  });

  it('compares the boards with the database, which repairs what no captured change shows', async () => {
    const [first] = (await program.get<Board>('/api/ranking/likes')).body.data;
    const differing = /^webook_ranking_differing_rows_total\{board="likes"\} (\d+)$/m;
    const reconciled = /^webook_ranking_loads_total\{board="likes",reason="reconcile"\} (\d+)$/m;
    const found = await metric(differing);
    // Like rows deleted by a cascading foreign key, which the binlog does not contain.
    await asRoot(sql, async (root) => {
      await root.query('SET sql_log_bin = 0');
      await root.query(
        `DELETE FROM ${new URL(env.MYSQL_URL!).pathname.slice(1)}.interactives WHERE id = ?`,
        [first!.id],
      );
    });
    await eventually(
      async () => {
        const { body } = await program.get<Board>('/api/ranking/likes');
        expect(body.data.map(({ id }) => id)).not.toContain(first!.id);
      },
      { timeoutMs: 100_000 },
    );
    expect(await metric(reconciled)).toBeGreaterThan(0);
    expect(await metric(differing)).toBe(found + 1);
  });

  it('ends the streams when the program stops', async () => {
    const stream = await EventStream.open(`${program.url}/api/ranking/likes/stream`);
    await stream.next();
    expect(await program.stop()).toBe(0);
    await expect(stream.next()).rejects.toThrow();
  });
});

/** The `board` events of a response. */
class EventStream {
  private text = '';

  private constructor(private readonly reader: ReadableStreamDefaultReader<string>) {}

  static async open(url: string): Promise<EventStream> {
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    return new EventStream(response.body!.pipeThrough(new TextDecoderStream()).getReader());
  }

  /** @throws when the stream ends before another one */
  async next(): Promise<string> {
    for (;;) {
      const end = this.text.indexOf('\n\n');
      if (end >= 0) {
        const event = this.text.slice(0, end);
        this.text = this.text.slice(end + 2);
        const data = /^event: board\ndata: (.*)$/.exec(event)?.[1];
        if (data !== undefined) return data;
        continue;
      }
      const { value, done } = await this.reader.read();
      if (done) throw new Error('the stream has ended');
      this.text += value;
    }
  }

  async close(): Promise<void> {
    await this.reader.cancel();
  }
}
