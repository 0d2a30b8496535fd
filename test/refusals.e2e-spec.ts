import { Redis } from 'ioredis';
import {
  cli,
  eventually,
  expectProblem,
  PrivateStack,
  Program,
  Sql,
  testEnvironment,
} from './support';

interface State {
  readCnt: number;
  likeCnt: number;
  liked: boolean;
}

/** What docs/operating.md says, for both engines. */
const RIGHTS = `~interactive:* ~capture:* ~ranking:* &ranking:*
  +ping +select +info +multi +subscribe +publish +script|load +eval +evalsha +time +dbsize +scan
  +del +exists +get +set +pexpire +pttl
  +hmget +hset +hget +hdel +hincrby +hexists +hgetall +hkeys +hvals +hsetnx
  +zadd +zcard +zpopmin +zrem +zrangebyscore`.split(/\s+/);
const RIGHTS_OF_THE_LOG = `~mq:*
  +exec +rename +memory|usage +zcount +zrange +zremrangebyscore
  +xadd +xlen +xtrim +xrange +xrevrange +xread +xinfo|stream`.split(/\s+/);

const PASSWORD = 'webook-test';

describe('a refusal', () => {
  let stack: PrivateStack;
  let sql: Sql;
  /** As a user who may do everything. */
  let redis: Redis;

  beforeAll(async () => {
    stack = await PrivateStack.start('test-refusals');
    redis = new Redis(stack.environment.REDIS_URL);
  });
  afterAll(async () => {
    redis?.disconnect();
    await sql?.close();
    await stack?.drop();
  });

  /** Creates the user, or changes all of its rights. @returns the URL with this user */
  const redisUrl = async (name: string, rights: readonly string[]): Promise<string> => {
    const nothing = ['on', 'resetpass', 'resetkeys', 'resetchannels', 'nocommands'];
    await redis.call('ACL', 'SETUSER', name, ...nothing, `>${PASSWORD}`, ...rights);
    const url = new URL(stack.environment.REDIS_URL);
    return Object.assign(url, { username: name, password: PASSWORD }).href;
  };
  const without = (...lacking: string[]): string[] =>
    [...RIGHTS, ...RIGHTS_OF_THE_LOG].filter((right) => !lacking.includes(right));

  it.each([
    [['+evalsha']],
    [['+publish', '~mq:*']],
    [['&ranking:*', '+script|load', '+xinfo|stream']],
    [['~interactive:*', '~ranking:*', '+subscribe', '+hmget']],
    [['+multi']],
  ])('at boot, of a user in Redis without %j, names them', async (lacking) => {
    const url = await redisUrl('lacking', without(...lacking));
    const program = Program.spawn({ env: { ...stack.environment, REDIS_URL: url } });
    expect(await program.ended()).toBe(1);
    const named = /REDIS_URL is set, but its user lacks: ([^(]*) \(/.exec(program.output)?.[1];
    expect(named?.split(' ').sort()).toEqual([...lacking].sort());
  });

  describe.each(['streams', 'kafka'])('on %s', (engine) => {
    const user = `webook-${engine}`;
    const rights = engine === 'streams' ? [...RIGHTS, ...RIGHTS_OF_THE_LOG] : RIGHTS;
    const biz = `refused-${engine}`;
    const path = `/api/interactive/${biz}/1`;
    let env: Record<string, string>;
    let program: Program;
    let users = 0;
    let reads = 0;

    beforeAll(async () => {
      env = {
        ...stack.environment,
        REDIS_URL: await redisUrl(user, rights),
        MQ_ENGINE: engine,
        ...(engine === 'kafka' && { KAFKA_BROKERS: testEnvironment().KAFKA_BROKERS }),
      };
      program = await Program.start({ env });
      sql ??= await Sql.open(stack.environment.MYSQL_URL);
    });
    afterAll(async () => {
      expect(await program?.stop()).toBe(0);
    });

    const like = async () =>
      program.put<State>(`${path}/like`, undefined, { token: await program.token(++users) });
    const read = () => program.post(`${path}/reads`);
    const readiness = async () =>
      (await program.get<{ checks: Record<string, { error?: string }> }>('/readyz')).body.checks;
    const metrics = async () => (await program.get<string>('/metrics')).body;

    /** Everything that is derived equals MySQL, which has exactly what was accepted. */
    const expectExact = async (likes: number): Promise<void> => {
      const [row] = await sql.rows<{ read_cnt: number; like_cnt: number }>(
        'SELECT read_cnt, like_cnt FROM interactives WHERE biz = ? AND biz_id = 1',
        [biz],
      );
      expect(row).toEqual({ read_cnt: reads, like_cnt: likes });
      const state = await program.get<State>(path);
      expect(state.body).toMatchObject({ readCnt: reads, likeCnt: likes });
      expect((await program.get('/readyz')).status).toBe(200);
      expect(await metrics()).not.toMatch(/^webook_dead_letters_total\{.*\} [1-9]/m);
    };

    it('there is none of a user with the documented rights', async () => {
      expect(await like()).toMatchObject({ status: 200, body: { likeCnt: 1, liked: true } });
      expect((await read()).status).toBe(202);
      reads++;
      await eventually(() => expectExact(users));
      expect((await program.get(path)).status).toBe(200);
      expect((await program.get('/api/ranking/likes')).status).toBe(200);
      const verified = await cli(env, 'verify', 'interactive');
      expect(verified).toMatchObject({ code: 0 });
    });

    const refusals: {
      what: string;
      reason: string;
      begin(): Promise<unknown>;
      end(): Promise<unknown>;
    }[] = [
      {
        what: 'Redis with too few replicas',
        reason: 'NOREPLICAS',
        begin: () => redis.config('SET', 'min-replicas-to-write', 1),
        end: () => redis.config('SET', 'min-replicas-to-write', 0),
      },
      {
        what: 'Redis whose user has lost its rights',
        reason: 'NOPERM',
        begin: () => redis.call('ACL', 'SETUSER', user, '-@all'),
        end: () => redisUrl(user, rights),
      },
      {
        what: 'Redis with another password',
        reason: 'WRONGPASS|MaxRetriesPerRequestError|NOAUTH|CONNECTION|UNAVAILABLE',
        begin: async () => {
          await redis.call('ACL', 'SETUSER', user, 'resetpass', '>another');
          await redis.call('CLIENT', 'KILL', 'USER', user);
        },
        end: () => redisUrl(user, rights),
      },
    ];

    it.each(refusals)('of $what: 503, consumers wait, and nothing is lost', async (refusal) => {
      await eventually(() => expectExact(users));
      const likesBefore = users;
      await refusal.begin();
      try {
        const answer = await like();
        expectProblem(answer, 503, 'UNAVAILABLE');
        users--;
        const accepted = await read();
        if (engine === 'kafka') {
          expect(accepted.status).toBe(202);
          reads++;
        } else expectProblem(accepted, 503, 'UNAVAILABLE');
        // A change that change capture has to show.
        await sql.change(
          'UPDATE interactives SET like_cnt = like_cnt + 0, version = version + 1 WHERE biz = ?',
          [biz],
        );
        const groups = engine === 'kafka' ? ['ranking', 'interactive-cache'] : ['interactive'];
        await eventually(async () => {
          const { consumers } = await readiness();
          for (const group of groups) expect(consumers?.error).toContain(`${group} waits with`);
          for (const group of groups)
            expect(await metrics()).toMatch(
              new RegExp(
                `^webook_consumers_waiting\\{group="${group}",.*reason="[a-z]+ (${refusal.reason})"\\} [1-9]`,
                'm',
              ),
            );
        });
      } finally {
        await refusal.end();
      }
      await eventually(() => expectExact(likesBefore));
      expect(
        await eventually(async () => {
          const answer = await like();
          expect(answer.status).toBe(200);
          return answer;
        }),
      ).toMatchObject({ body: { liked: true } });
    });

    it('of Redis with a key of another type: the board waits, and nothing is lost', async () => {
      await eventually(() => expectExact(users));
      const [meta, aside] = ['ranking:{likes}:meta', 'ranking:{likes}:aside'];
      await redis.multi().rename(meta, aside).set(meta, 'text').exec();
      try {
        expect((await like()).status).toBe(200);
        await eventually(async () => {
          const { consumers } = await readiness();
          expect(consumers?.error).toMatch(/ranking waits with webook_binlog .*WRONGTYPE/);
        });
      } finally {
        await redis.rename(aside, meta);
      }
      await eventually(() => expectExact(users));
    });

    it('of MySQL without a table: 503, consumers wait, and nothing is lost', async () => {
      await eventually(() => expectExact(users));
      const likesBefore = users;
      await sql.change('RENAME TABLE interactives TO interactives_aside');
      try {
        const answer = await like();
        users--;
        expectProblem(answer, 503, 'UNAVAILABLE');
        expectProblem(await program.get('/api/interactive/et/77'), 503, 'UNAVAILABLE');
        for (let i = 0; i < 10; i++) {
          expect((await read()).status).toBe(202);
          reads++;
        }
        await eventually(async () => {
          const { consumers } = await readiness();
          expect(consumers?.error).toContain('interactive waits with article_read_event');
          expect(await metrics()).toContain('reason="mysql ER_NO_SUCH_TABLE"');
        });
      } finally {
        await sql.change('RENAME TABLE interactives_aside TO interactives');
      }
      await eventually(() => expectExact(likesBefore));
    });
  });
});
