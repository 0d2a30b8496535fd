import { cp, mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  type Answer,
  eventually,
  expectProblem,
  isolatedStack,
  PrivateStack,
  Program,
  Sql,
  type ProblemBody,
} from './support';

interface Readiness {
  status: string;
  checks: Record<string, { status: string; error?: string }>;
}

const OBJECT = '/api/interactive/et/1';

describe('an outage', () => {
  let stack: PrivateStack;
  let program: Program;
  let token: string;

  beforeAll(async () => {
    stack = await PrivateStack.start('test-outages');
    program = await Program.start({ env: { ...stack.environment } });
    token = await program.token(1);
  });
  afterAll(async () => {
    await program?.kill();
    await stack?.drop();
  });

  /** The dependencies that /readyz reports as down. */
  const down = async (): Promise<string[]> => {
    const { status, body } = await program.get<Readiness>('/readyz');
    expect(status).toBe(503);
    return Object.entries(body.checks)
      .filter(([, check]) => check.status === 'down')
      .map(([name]) => name);
  };
  const isReady = async () => expect((await program.get('/readyz')).status).toBe(200);
  const readCnt = async () =>
    (await program.get<{ readCnt: number }>(OBJECT, { token })).body.readCnt;

  /** The sum of a metric over the partitions of the read events, for the group that counts them. */
  const metric = async (name: string): Promise<number> => {
    const { body } = await program.get<string>('/metrics');
    const pattern = new RegExp(
      `^${name}\\{(?=.*group="interactive")(?=.*article_read).*\\} (.*)$`,
      'gm',
    );
    return [...body.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  const read = async (reads: number, at = program): Promise<void> => {
    for (let i = 0; i < reads; i++) expect((await at.post(`${OBJECT}/reads`)).status).toBe(202);
  };

  it('of MySQL: writes get 503, accepted reads wait and are counted', async () => {
    await program.post(`${OBJECT}/reads`);
    await eventually(async () => expect(await readCnt()).toBe(1));

    await stack.kill('mysql');
    await eventually(async () => expect(await down()).toContain('mysql'));
    expectProblem(await program.put(`${OBJECT}/like`, undefined, { token }), 503, 'UNAVAILABLE');
    expectProblem(await program.get('/api/articles', { token }), 503, 'UNAVAILABLE');
    expectProblem(await program.get('/api/history', { token }), 503, 'UNAVAILABLE');
    for (let i = 0; i < 20; i++)
      expect((await program.post(`${OBJECT}/reads`, undefined, { token })).status).toBe(202);
    expect((await program.get('/healthz')).status).toBe(200);

    await stack.up();
    await eventually(isReady);
    await eventually(async () => expect(await readCnt()).toBe(21));
    expect(await program.put(`${OBJECT}/like`, undefined, { token })).toMatchObject({
      status: 200,
      body: { readCnt: 21, likeCnt: 1, liked: true },
    });
    await eventually(async () => {
      const history = await program.get<{ items: object[] }>('/api/history', { token });
      expect(history.body.items).toHaveLength(1);
    });
  });

  it('of Redis: requests that need it get 503, and all accepted reads are counted', async () => {
    const before = await readCnt();
    await stack.kill('redis');
    await eventually(async () => expect(await down()).toEqual(expect.arrayContaining(['redis'])));
    expectProblem(await program.post(`${OBJECT}/reads`), 503, 'UNAVAILABLE');

    await stack.up();
    await eventually(isReady);
    // Refused reads may have been counted too: a refusal does not say whether the event arrived.
    let accepted = 0;
    let refused = 1;
    while (accepted < 10) {
      if ((await program.post(`${OBJECT}/reads`)).status === 202) accepted++;
      else refused++;
    }
    await eventually(async () => {
      expect(await metric('webook_consumer_lag')).toBe(0);
      expect((await readCnt()) - before).toBeGreaterThanOrEqual(accepted);
    });
    expect((await readCnt()) - before).toBeLessThanOrEqual(accepted + refused);
  });

  it('of Redis that loses its last writes: reads that are accepted afterwards are counted', async () => {
    const api = await Program.start({ name: 'api', env: { ...stack.environment, ROLE: 'api' } });
    const kept = await mkdtemp(join(tmpdir(), 'webook-redis-'));
    try {
      const before = await readCnt();
      const counts = (reads: number): Promise<void> =>
        eventually(async () => expect(await readCnt()).toBe(before + reads));
      await read(10, api);
      await counts(10);
      const redis = new Redis(stack.environment.REDIS_URL);
      const [, folder = ''] = (await redis.config('GET', 'dir')) as string[];
      redis.disconnect();
      await cp(folder, kept, { recursive: true });
      await read(30, api);
      await counts(40);

      // The consumer is stopped, so that it reads again only when as many events arrived as were
      // lost.
      process.kill(program.pid, 'SIGSTOP');
      try {
        await stack.kill('redis');
        await rm(folder, { recursive: true });
        await cp(kept, folder, { recursive: true });
        await stack.up();
        await eventually(async () => expect((await api.get('/readyz')).status).toBe(200));
        await read(50, api);
      } finally {
        process.kill(program.pid, 'SIGCONT');
      }
      await counts(90);
    } finally {
      await api.kill();
      await rm(kept, { recursive: true });
    }
  });

  it('of one table, locked for longer than a statement may take: nothing is dead-lettered', async () => {
    const before = await readCnt();
    const retries = await metric('webook_batch_retries_total');
    const sql = await Sql.open(stack.environment.MYSQL_URL);
    try {
      await sql.change('LOCK TABLES interactives WRITE');
      await read(20);
      await eventually(async () =>
        expect(await metric('webook_batch_retries_total')).toBeGreaterThan(retries),
      );
    } finally {
      await sql.close();
    }
    await eventually(async () => expect(await readCnt()).toBe(before + 20));
    expect(await metric('webook_dead_letters_total')).toBe(0);
  });

  it.each([
    ['mysql', 'MySQL'],
    ['redis', 'Redis'],
  ] as const)('of %s at boot: the program waits, and then works', async (service, name) => {
    await stack.kill(service);
    const late = Program.spawn({ name: 'late', env: { ...stack.environment } });
    try {
      await eventually(() => expect(late.output).toContain(`Waiting for ${name}`));
      await stack.up();
      await late.ready();
      expect((await late.get(OBJECT)).status).toBe(200);
      expect(await late.stop()).toBe(0);
    } finally {
      await late.kill();
      await stack.up();
    }
    await eventually(isReady);
  });

  it('of a Redis that hangs: counters and own marks are read from MySQL, and soon without waiting for Redis', async () => {
    await program.put(`${OBJECT}/like`, undefined, { token });
    const expected = expect.objectContaining({ likeCnt: 1, liked: true });
    /** Milliseconds until the answer, which must be correct. */
    const answered = async (): Promise<number> => {
      const since = performance.now();
      const { status, body } = await program.get(OBJECT, { token });
      expect([status, body]).toEqual([200, expected]);
      return performance.now() - since;
    };
    await stack.freeze('redis');
    try {
      // The first requests wait 5 seconds for Redis, and do not wait again to store what they
      // loaded.
      const first = await Promise.all([answered(), answered(), answered()]);
      expect(Math.max(...first)).toBeLessThan(9_000);
      // Later requests do not wait, not even while the program checks whether Redis is back.
      const since = performance.now();
      do expect(await answered()).toBeLessThan(4_000);
      while (performance.now() < since + 2_000);
    } finally {
      await stack.thaw('redis');
    }
    await eventually(isReady);
    const loads = async (): Promise<number> => {
      const { body } = await program.get<string>('/metrics');
      return Number(/cache_loads_total\{what="counters"\} (\d+)/.exec(body)?.[1]);
    };
    await eventually(async () => {
      const before = await loads();
      await answered();
      expect(await loads()).toBe(before);
    });
  });

  it.each(['mysql', 'redis'] as const)(
    'of a %s that hangs: 503 in time, then normal answers',
    async (service) => {
      const write = (): Promise<Answer<ProblemBody>> =>
        service === 'mysql'
          ? program.put(`${OBJECT}/like`, undefined, { token })
          : program.post(`${OBJECT}/reads`);
      const get = (path: string): Promise<Answer<ProblemBody>> => program.get(path, { token });
      // Each way to reach MySQL, with statements that were prepared before and others.
      const reads =
        service === 'mysql'
          ? [
              'articles',
              'articles/1/published',
              'interactive/likes',
              'interactive/et/77',
              'history',
            ]
          : [];
      await stack.freeze(service);
      try {
        await eventually(async () => expect(await down()).toContain(service));
        const answers = [write(), ...reads.map((path) => get(`/api/${path}`))];
        for (const answer of await Promise.all(answers)) expectProblem(answer, 503, 'UNAVAILABLE');
      } finally {
        await stack.thaw(service);
      }
      await eventually(isReady);
      await eventually(async () => expect((await write()).status).toBeLessThan(300));
    },
  );
});

describe('a shutdown', () => {
  let stack: PrivateStack;
  beforeAll(async () => {
    stack = await PrivateStack.start('test-outages');
  });
  afterAll(() => stack?.drop());

  it('under load answers all accepted requests, and loses none of their effects', async () => {
    const env = { ...stack.environment };
    const first = await Program.start({ name: 'the first', env });
    const second = await Program.start({ name: 'the second', env });
    const tokens = await Promise.all([1, 2, 3, 4].map((user) => first.token(user)));

    let reads = 0;
    const liked = new Set<string>();
    const faults: unknown[] = [];
    let next = 0;
    const client = async (token: string, user: number): Promise<void> => {
      for (;;) {
        const id = ++next;
        try {
          const read = await begun(first, 'POST', '/api/interactive/et/1/reads', token);
          if (read === 202) reads++;
          else faults.push(read);
          const like = await begun(first, 'PUT', `/api/interactive/et/${id}/like`, token);
          if (like === 200) liked.add(`${user}:${id}`);
          else faults.push(like);
        } catch (error) {
          if (!(error instanceof NotBegunError)) faults.push(error);
          return;
        }
      }
    };
    const stream = await fetch(`${first.url}/api/ranking/likes/stream`);
    const streamEnd = stream.text();
    const clients = tokens.map((token, i) => client(token, i + 1));
    await eventually(() => expect(liked.size).toBeGreaterThan(50));

    expect(await first.stop()).toBe(0);
    await Promise.all(clients);
    expect(faults).toEqual([]);
    expect(await streamEnd).toContain('event: board');
    await eventually(async () => {
      const { body } = await second.get<{ readCnt: number }>('/api/interactive/et/1');
      expect(body.readCnt).toBe(reads);
    });
    const sql = await Sql.open(env.MYSQL_URL);
    const rows = await sql.rows<{ mark: string }>(
      "SELECT CONCAT(uid, ':', biz_id) AS mark FROM likes WHERE biz = 'et' AND status = 1",
    );
    await sql.close();
    expect(new Set(rows.map(({ mark }) => mark))).toEqual(liked);
    expect(await second.stop()).toBe(0);
  });
});

describe('the event log', () => {
  let stack: PrivateStack;
  const programs: Program[] = [];
  const start = async (name: string, engine: string): Promise<Program> => {
    const env = { ...stack.environment, MQ_ENGINE: engine };
    const program = await Program.start({ name, env });
    programs.push(program);
    return program;
  };

  beforeAll(async () => {
    stack = await PrivateStack.start('test-outages-kafka', await isolatedStack('outages_kafka'));
  });
  beforeEach(() => stack.up());
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.kill()));
  });
  afterAll(() => stack?.drop());

  it.each(['streams', 'kafka'])(
    'on %s replaces a member that is killed during a batch, and counts nothing twice',
    async (engine) => {
      const first = await start('the first', engine);
      const second = await start('the second', engine);
      const biz = `killed-${engine}`;
      const read = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++)
          for (let id = 1; id <= 20; id++)
            expect((await second.post(`/api/interactive/${biz}/${id}/reads`)).status).toBe(202);
      };
      const sql = await Sql.open(stack.environment.MYSQL_URL);
      const reads = async (): Promise<number> => {
        const [row] = await sql.rows<{ n: string | null }>(
          'SELECT SUM(read_cnt) AS n FROM interactives WHERE biz = ?',
          [biz],
        );
        return Number(row?.n ?? 0);
      };
      /** Batches that wait for a lock on an object's row. */
      const held = async (): Promise<number> => {
        const [row] = await sql.rows<{ n: number }>(
          `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST
           WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO interactives%'`,
        );
        return row?.n ?? 0;
      };
      try {
        await read(1);
        await eventually(async () => expect(await reads()).toBe(20));
        await sql.change('START TRANSACTION');
        await sql.rows('SELECT id FROM interactives WHERE biz = ? FOR UPDATE', [biz]);
        await read(2);
        // One batch of each partition, so that the first program has at least one.
        await eventually(async () => expect(await held()).toBe(3));
        await first.kill();
        await sql.change('ROLLBACK');
        await eventually(async () => expect(await reads()).toBe(60));
        await read(1);
        await eventually(async () => expect(await reads()).toBe(80));
      } finally {
        await sql.close();
      }
    },
  );

  it('on Kafka may be away: reads get 503 during that time, and all accepted reads are counted', async () => {
    const program = await start('webook', 'kafka');
    const accept = async (reads: number): Promise<void> => {
      for (let i = 0; i < reads; i++)
        expect((await program.post(`${OBJECT}/reads`)).status).toBe(202);
    };
    const counted = async (): Promise<number> =>
      (await program.get<{ readCnt: number }>(OBJECT)).body.readCnt;

    await accept(50);
    await stack.kill('kafka');
    expectProblem(await program.post(`${OBJECT}/reads`), 503, 'UNAVAILABLE');
    const { status, body } = await program.get<Readiness>('/readyz');
    expect({ status, log: body.checks.log?.status }).toEqual({ status: 503, log: 'down' });

    await stack.up();
    await eventually(async () => expect((await program.get('/readyz')).status).toBe(200));
    // The broker lists the topic before it leads its partitions again.
    await eventually(async () =>
      expect((await program.post('/api/interactive/warm-up/1/reads')).status).toBe(202),
    );
    await accept(50);
    await eventually(async () => expect(await counted()).toBe(100));
    expect(await program.stop()).toBe(0);
  });

  it.each(['freeze', 'kill'] as const)(
    'on Kafka lets a program stop in time after a %s',
    async (what) => {
      const program = await start('webook', 'kafka');
      await program.post(`${OBJECT}/reads`);
      await stack[what]('kafka');
      try {
        expectProblem(await program.post(`${OBJECT}/reads`), 503, 'UNAVAILABLE');
        expect(await program.stop()).toBe(0);
      } finally {
        if (what === 'freeze') await stack.thaw('kafka');
      }
    },
  );
});

/** The program has not received the request: its connection was refused or not accepted yet. */
class NotBegunError extends Error {}

/**
 * Sends a request on a separate connection and returns the status of the answer. The program sends
 * the requested "100 Continue" when it has received the request: from then on it must answer.
 */
function begun(program: Program, method: string, path: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let isBegun = false;
    const headers = {
      authorization: `Bearer ${token}`,
      expect: '100-continue',
      'content-length': 0,
    };
    const outgoing = request(program.url + path, { method, headers, agent: false });
    outgoing.on('continue', () => {
      isBegun = true;
      outgoing.end();
    });
    outgoing.on('response', (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
      response.resume();
    });
    outgoing.on('error', (cause) => reject(isBegun ? cause : new NotBegunError('', { cause })));
    outgoing.flushHeaders();
  });
}
