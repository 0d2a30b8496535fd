import { Redis } from 'ioredis';
import {
  atOnce,
  below,
  driftOf,
  eventually,
  isolatedStack,
  MarkUser,
  type ObjectState,
  Program,
  type StackEnvironment,
  Sql,
} from './support';

const CONNECTIONS = 64;
/** `status` of an article that readers can see. */
const PUBLISHED = 2;

describe('likes and collects under contention', () => {
  let stack: StackEnvironment;
  let programs: Program[];
  let sql: Sql;

  beforeAll(async () => {
    stack = await isolatedStack('marks_contention');
    const first = await Program.start({ name: 'instance 1', env: { ...stack } });
    const others = await Promise.all(
      [2, 3, 4].map((number) =>
        Program.start({ name: `instance ${number}`, env: { ...stack, ROLE: 'api' } }),
      ),
    );
    programs = [first, ...others];
    sql = await Sql.open(stack.MYSQL_URL);
  });

  afterAll(async () => {
    await Promise.all([...(programs ?? []).map((program) => program.stop()), sql?.close()]);
  });

  /** For each user, one client per instance. */
  const usersOn = (ids: readonly number[], biz?: string): Promise<MarkUser[][]> =>
    Promise.all(
      ids.map((id) => Promise.all(programs.map((program) => MarkUser.of(program, id, biz)))),
    );

  const range = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => from + index);

  it('loses no request to deadlocks of four instances on the same users and objects', async () => {
    const users = await usersOn(range(1, 12));
    const objects = range(1, 8);
    const failures: unknown[] = [];
    await atOnce(2_000, CONNECTIONS, async (index) => {
      const user = users[below(users.length)]![index % programs.length]!;
      const object = objects[below(objects.length)]!;
      const actions = ['like', 'unlike', 'collect', 'uncollect'] as const;
      const { status, body } = await user[actions[below(actions.length)]!](object);
      if (status !== 200) failures.push(body);
      // Reads of the same objects change other columns of the same rows.
      if (index % 10 === 0)
        await programs[0]!.post(`/api/interactive/video/${object}/reads`, undefined);
    });
    expect(failures).toEqual([]);
    expect(await driftOf(sql)).toEqual([]);
  });

  it('leaves no drift on 1,000 articles that are liked and unliked concurrently', async () => {
    const ids = range(10_001, 1_000);
    const rows = ids.map((id) => [id, 1, 'Title', 'Content', 1, 1]);
    for (const table of ['articles', 'published_articles'])
      await sql.change(
        `INSERT INTO ${table} (id, author_id, title, content, ctime, utime, status) VALUES ?`,
        [rows.map((row) => [...row, PUBLISHED])],
      );
    const users = await usersOn(range(100, 20), 'article');
    const failures: unknown[] = [];
    await atOnce(6_000, CONNECTIONS, async (index) => {
      const user = users[below(users.length)]![index % programs.length]!;
      const id = ids[below(ids.length)]!;
      const { status, body } = await (below(2) ? user.like(id) : user.unlike(id));
      if (status !== 200) failures.push(body);
    });
    expect(failures).toEqual([]);
    expect(await driftOf(sql)).toEqual([]);
  });

  it('never leaves a wrong count or flag in a cache that was cold', async () => {
    const [user] = await usersOn([200]);
    const redis = new Redis(stack.REDIS_URL);
    try {
      for (let round = 0; round < 40; round++) {
        const object = 500 + (round % 2);
        const cached = await redis.keys(`interactive:{video:${object}}*`);
        if (cached.length > 0) await redis.del(...cached);
        const isLike = Math.floor(round / 2) % 2 === 0;
        const reads = (): Promise<ObjectState>[] => user!.map((each) => each.state(object));
        const racing = [...reads(), ...reads()];
        const write = user![round % programs.length]!;
        const { body } = await (isLike ? write.like(object) : write.unlike(object));
        racing.push(...reads(), ...reads());
        await Promise.all(racing);
        const expected = { liked: isLike, likeCnt: isLike ? 1 : 0 };
        expect(body).toMatchObject(expected);
        for (const state of await Promise.all(reads())) expect(state).toMatchObject(expected);
      }
    } finally {
      redis.disconnect();
    }
  });

  describe('while another transaction holds a row lock', () => {
    /** Milliseconds: one lock wait (a second) plus the delays of a busy machine; waits never add up. */
    const BOUND = 4_000;
    let stranger: Sql;

    beforeEach(async () => {
      stranger = await Sql.open(stack.MYSQL_URL);
      // So that it locks only that row, and no gap beside it.
      await stranger.change('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await stranger.change('START TRANSACTION');
    });

    afterEach(() => stranger.close());

    const usersOf = (ids: readonly number[]): Promise<MarkUser[]> =>
      Promise.all(ids.map((id) => MarkUser.of(programs[0]!, id)));

    /** Expects each request to succeed; returns the milliseconds of the slowest one. */
    async function slowest(requests: readonly Promise<{ status: number }>[]): Promise<number> {
      const start = performance.now();
      const times = requests.map(async (request) => {
        expect((await request).status).toBe(200);
        return performance.now() - start;
      });
      return Math.max(...(await Promise.all(times)));
    }

    it('answers the other users of that object, and everyone else', async () => {
      const users = await usersOf(range(300, 64));
      const bystanders = await usersOf(range(400, 16));
      await Promise.all(users.map((user) => user.like(600)));
      await stranger.rows('SELECT uid FROM likes WHERE uid = 320 AND biz_id = 600 FOR UPDATE');
      const blocked = users[20]!.unlike(600);
      const peers = users.filter(({ id }) => id !== 320);
      expect(
        await slowest([
          ...peers.map((user) => user.unlike(600)),
          ...bystanders.map((user) => user.like(600 + user.id)),
        ]),
      ).toBeLessThan(BOUND);
      const { status, headers } = await blocked;
      expect(status).toBe(503);
      expect(headers.get('retry-after')).not.toBeNull();
      expect(await users[20]!.state(600)).toMatchObject({ liked: true, likeCnt: 1 });
      await stranger.change('ROLLBACK');
      expect((await users[20]!.unlike(600)).body).toMatchObject({ liked: false, likeCnt: 0 });
    });

    it('answers requests for other objects, and the blocked ones once the counter is free', async () => {
      const users = await usersOf(range(500, 32));
      const bystanders = await usersOf(range(540, 32));
      await users[0]!.like(700);
      await stranger.rows('SELECT id FROM interactives WHERE biz_id = 700 FOR UPDATE');
      const blocked = users.map((user) => user.collect(700));
      expect(
        await slowest(bystanders.map((user) => user.like(700 + (user.id % 16) + 1))),
      ).toBeLessThan(BOUND);
      await stranger.change('ROLLBACK');
      for (const { status } of await Promise.all(blocked)) expect([200, 503]).toContain(status);
      await Promise.all(users.map((user) => user.collect(700)));
      expect(await users[0]!.state(700)).toMatchObject({ collectCnt: 32, likeCnt: 1 });
    });

    it('answers everyone else while the like itself is not committed', async () => {
      const users = await usersOf(range(580, 32));
      await stranger.change(
        "INSERT INTO likes (uid, biz, biz_id, status) VALUES (585, 'video', 750, 1)",
      );
      const blocked = users[5]!.like(750);
      const peers = users.filter(({ id }) => id !== 585);
      expect(await slowest(peers.map((user) => user.like(750)))).toBeLessThan(BOUND);
      await stranger.change('ROLLBACK');
      expect([200, 503]).toContain((await blocked).status);
      expect((await users[5]!.like(750)).body).toMatchObject({ liked: true, likeCnt: 32 });
    });

    afterAll(async () => expect(await driftOf(sql)).toEqual([]));
  });

  it('shows a like whose process was killed between the commit and the cache update', async () => {
    const [witness, victim] = [programs[0]!, programs[3]!];
    const fan = await MarkUser.of(witness, 400);
    await fan.like(700);
    const stranger = await Sql.open(stack.MYSQL_URL);
    try {
      // When the wait for the lock timed out, nothing was committed: try again with another user.
      for (let uid = 401; ; uid++) {
        const [here, there] = await Promise.all(
          [witness, victim].map((program) => MarkUser.of(program, uid)),
        );
        expect(await here!.state(700)).toMatchObject({ liked: false });
        // The like's last statement batch, with its COMMIT, waits in the server for the counters' row.
        await stranger.change('START TRANSACTION');
        await stranger.rows('SELECT id FROM interactives WHERE biz_id = 700 FOR UPDATE');
        const answer = there!.like(700).catch((error: unknown) => error);
        const isWaiting = eventually(async () => {
          const waiting = await sql.rows(
            `SELECT ID FROM information_schema.PROCESSLIST
              WHERE DB = DATABASE() AND INFO LIKE 'INSERT INTO interactives%'`,
          );
          expect(waiting).toHaveLength(1);
          return true;
        }).catch(() => false);
        if (!(await Promise.race([isWaiting, answer.then(() => false)]))) {
          await stranger.change('ROLLBACK');
          continue;
        }
        process.kill(victim.pid, 'SIGSTOP');
        await stranger.change('ROLLBACK');
        const committed = eventually(
          async () => {
            const likes = await sql.rows('SELECT uid FROM likes WHERE uid = ? AND biz_id = 700', [
              uid,
            ]);
            expect(likes).toHaveLength(1);
          },
          { timeoutMs: 5_000 },
        );
        const isCommitted = await committed.then(
          () => true,
          () => false,
        );
        if (isCommitted) {
          await victim.kill();
          await answer;
          expect(await here!.state(700)).toMatchObject({ liked: true });
          return;
        }
        process.kill(victim.pid, 'SIGCONT');
        await answer;
      }
    } finally {
      await stranger.close();
    }
  });
});
