import { Redis } from 'ioredis';
import {
  atOnce,
  cli,
  driftOf,
  eventually,
  MarkUser,
  type ObjectState,
  Program,
  Sql,
  streamsWithRelay,
} from './support';

describe('counters and their cache', () => {
  let env: Record<string, string>;
  let sql: Sql;
  let redis: Redis;
  let program: Program;

  beforeAll(async () => {
    env = await streamsWithRelay.prepare('counters');
    sql = await Sql.open(env.MYSQL_URL!);
    redis = new Redis(env.REDIS_URL!);
    program = await Program.start({ env });
  });

  afterAll(async () => {
    await program?.stop();
    await sql?.close();
    redis?.disconnect();
  });

  it('answers correctly and shares loads while the cache is lost under load', async () => {
    const user = await MarkUser.of(program, 600, 'flushed');
    const objects = Array.from({ length: 20 }, (_, i) => i + 1);
    await Promise.all(objects.map((bizId) => user.like(bizId)));
    const loads = async (): Promise<number> => {
      const { body } = await program.get<string>('/metrics');
      return Number(/cache_loads_total\{what="counters"\} (\d+)/.exec(body)?.[1] ?? 0);
    };
    await user.states(objects);
    const before = await loads();
    const flushes = 5;
    let wrong = 0;
    let answered = 0;
    const keys = await redis.keys('interactive:{flushed:*');
    expect(keys.length).toBeGreaterThanOrEqual(objects.length);
    await atOnce(3_000, 64, async (index) => {
      // Streams are in the same Redis: only the cache is deleted.
      if (index % 600 === 0) await redis.del(...keys);
      const bizId = objects[index % objects.length] as number;
      const { likeCnt, liked } = await user.state(bizId);
      answered++;
      if (likeCnt !== 1 || !liked) wrong++;
    });
    expect(answered).toBe(3_000);
    expect(wrong).toBe(0);
    const loaded = (await loads()) - before;
    expect(loaded).toBeGreaterThanOrEqual(objects.length);
    // All waiting requests share a load. There may be more than one load per object and flush, since
    // a flush may hit a load that is just being stored.
    expect(loaded).toBeLessThanOrEqual(flushes * objects.length * 2);
  });

  it('answers only what is possible at the time while likes go on and the cache is lost repeatedly', async () => {
    const objects = Array.from({ length: 10 }, (_, i) => i + 1);
    const usersFrom = (first: number, count: number): Promise<MarkUser[]> =>
      Promise.all(
        Array.from({ length: count }, (_, i) => MarkUser.of(program, first + i, 'storm')),
      );
    const [likers, readers] = [await usersFrom(2_000, 200), await usersFrom(3_000, 8)];
    const loads = async (what: string): Promise<number> => {
      const { body } = await program.get<string>('/metrics');
      return Number(
        new RegExp(`cache_loads_total\\{what="${what}"\\} (\\d+)`).exec(body)?.[1] ?? 0,
      );
    };
    // Streams are in the same Redis: only the cache is deleted, all of it at one moment.
    const lose = (): Promise<unknown> =>
      redis.eval(
        "for _, key in ipairs(redis.call('KEYS', 'interactive:{storm:*')) do redis.call('DEL', key) end",
        0,
      );
    const [counterLoads, markLoads] = [await loads('counters'), await loads('marks')];
    const begun = new Map(objects.map((bizId) => [bizId, 0]));
    const answered = new Map(objects.map((bizId) => [bizId, 0]));
    const raise = (counts: Map<number, number>, bizId: number): void =>
      void counts.set(bizId, counts.get(bizId)! + 1);
    const impossible: unknown[] = [];
    let reads = 0;
    let flushes = 0;
    /** A like that was answered before must be counted; a like that was not begun must not. */
    const look = async (ask: () => Promise<ObjectState[]>, liked?: boolean): Promise<void> => {
      const atLeast = new Map(answered);
      const states = await ask();
      for (const state of states) {
        const possible = [atLeast.get(state.bizId)!, begun.get(state.bizId)!] as const;
        const fits = state.likeCnt >= possible[0] && state.likeCnt <= possible[1];
        if (!fits || (liked !== undefined && state.liked !== liked))
          impossible.push({ possible, state });
      }
      if (++reads % 100 === 0) {
        flushes++;
        await lose();
      }
    };
    let isOver = false;
    const reading = Promise.all(
      Array.from({ length: 32 }, async (_, i) => {
        for (let round = i; !isOver; round++) {
          const bizId = objects[round % objects.length]!;
          const reader = readers[i % readers.length]!;
          if (i < 8)
            await look(async () => [
              (await program.get<ObjectState>(`/api/interactive/storm/${bizId}`)).body,
            ]);
          else if (i < 24) await look(async () => [await reader.state(bizId)], false);
          else await look(() => reader.states(objects), false);
        }
      }),
    );
    try {
      await atOnce(likers.length * objects.length, 32, async (index) => {
        const liker = likers[index % likers.length]!;
        const bizId = objects[Math.floor(index / likers.length)]!;
        raise(begun, bizId);
        const { status, body } = await liker.like(bizId);
        expect({ status, liked: body.liked }).toEqual({ status: 200, liked: true });
        raise(answered, bizId);
        await look(async () => [await liker.state(bizId)], true);
      });
    } finally {
      isOver = true;
      await reading;
    }
    expect(impossible).toEqual([]);
    expect(flushes).toBeGreaterThan(5);
    const states = await readers[0]!.states(objects);
    expect(states.map(({ likeCnt }) => likeCnt)).toEqual(objects.map(() => likers.length));
    expect((await driftOf(sql)).filter(({ biz }) => biz === 'storm')).toEqual([]);
    // All requests at one time share a load; those that arrive while it runs share a second one.
    const loaded = (await loads('counters')) - counterLoads;
    expect(loaded).toBeLessThanOrEqual((flushes + 1) * objects.length * 3);
    expect(loaded).toBeLessThan(reads / 2);
    // Each reader has their own marks; each liker asks once for theirs.
    expect((await loads('marks')) - markLoads).toBeLessThanOrEqual(
      (flushes + 1) * objects.length * readers.length * 3 + likers.length * objects.length,
    );
  });

  it('never caches an outdated count when a cold load races with a change', async () => {
    const users = await Promise.all([701, 702, 703].map((id) => MarkUser.of(program, id, 'cold')));
    for (let bizId = 1; bizId <= 60; bizId++) {
      await sql.change("INSERT INTO interactives (biz, biz_id, version) VALUES ('cold', ?, 1)", [
        bizId,
      ]);
      await redis.del(`interactive:{cold:${bizId}}`);
      await Promise.all([
        ...users.map((user) => user.like(bizId)),
        ...Array.from({ length: 6 }, () => program.get(`/api/interactive/cold/${bizId}`)),
      ]);
    }
    const states = await users[0]!.states(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(states.map(({ likeCnt }) => likeCnt)).toEqual(Array(60).fill(3));
  });

  it('finds drift, reports it by its exit code, and repairs it', async () => {
    // Five likes that no user gave.
    await sql.change("INSERT INTO interactives (biz, biz_id, like_cnt) VALUES ('orphan', 1, 5)");
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 1 });
    expect(await cli(env, 'verify', 'interactive', '--repair')).toMatchObject({ code: 0 });
    const clean = await cli(env, 'verify', 'interactive');
    expect(clean).toMatchObject({ code: 0, stdout: expect.stringContaining('no drift') });

    const user = await MarkUser.of(program, 800, 'drifted');
    await user.like(1);
    await user.collect(2);
    await sql.change(
      "UPDATE interactives SET like_cnt = 9, version = version + 1 WHERE biz = 'drifted' AND biz_id = 1",
    );
    await sql.change("DELETE FROM interactives WHERE biz = 'drifted' AND biz_id = 2");
    const found = await cli(env, 'verify', 'interactive');
    expect(found.code).toBe(1);
    expect(found.stdout).toContain('drifted 1: like_cnt is 9, should be 1');
    expect(found.stdout).toContain('drifted 2: collect_cnt is 0, should be 1');
    expect(await cli(env, 'verify', 'interactive', '--repair')).toMatchObject({ code: 0 });
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 0 });

    // Once change capture is idle, the cache is made to differ from the row.
    await sql.change("UPDATE interactives SET read_cnt = 5 WHERE biz = 'drifted' AND biz_id = 1");
    await eventually(async () => expect((await user.state(1)).readCnt).toBe(5));
    await redis.hset('interactive:{drifted:1}', 'l', '77');
    expect((await user.state(1)).likeCnt).toBe(77);
    const stale = await cli(env, 'verify', 'interactive');
    expect(stale.code).toBe(1);
    expect(stale.stdout).toContain('drifted 1: cache is reads 5, likes 77');
    expect(await cli(env, 'rebuild', 'interactive')).toMatchObject({ code: 0 });
    expect((await user.state(1)).likeCnt).toBe(1);
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 0 });
  });

  it('finds cached counters of objects without rows, and cached marks that are wrong', async () => {
    const [one, two] = [
      await MarkUser.of(program, 801, 'haunted'),
      await MarkUser.of(program, 802),
    ];
    await one.like(1);
    await two.state(1);
    // The counters of an object that never existed, and flags that contradict the records.
    await redis.hset('interactive:{haunted:2}', { r: 1, l: 5, c: 0, i: 9e9, v: 3 });
    await redis.hset('interactive:{haunted:1}:mine:801', { l: 0, c: 1, cv: 4 });
    await redis.hset('interactive:{video:1}:mine:802', { l: 1, lv: 9 });
    expect(await one.state(2)).toMatchObject({ likeCnt: 5 });
    expect(await two.state(1)).toMatchObject({ liked: true });
    const found = await cli(env, 'verify', 'interactive');
    expect(found.code).toBe(1);
    expect(
      found.stdout
        .split('\n')
        .filter((line) => line !== '')
        .sort(),
    ).toEqual([
      '3 drifted',
      'haunted 1: cached marks of user 801 is not liked, collected, should be liked, not collected',
      'haunted 2: cache is reads 1, likes 5, collects 0, should be reads 0, likes 0, collects 0',
      'video 1: cached marks of user 802 is liked, not collected, should be not liked, not collected',
    ]);
    expect(await cli(env, 'verify', 'interactive', '--repair')).toMatchObject({ code: 0 });
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 0 });
    expect(await one.state(1)).toMatchObject({ likeCnt: 1, liked: true, collected: false });
    expect(await one.state(2)).toMatchObject({ likeCnt: 0 });
    expect(await two.state(1)).toMatchObject({ liked: false });

    await redis.hset('interactive:{haunted:2}', { r: 1, l: 5, c: 0, i: 9e9, v: 3 });
    await redis.hset('interactive:{haunted:1}:mine:801', { l: 0 });
    expect(await cli(env, 'rebuild', 'interactive')).toMatchObject({ code: 0 });
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 0 });
    expect(await one.state(1)).toMatchObject({ liked: true });
  });

  it('never reports more than 100 % progress, whatever the statistics say', async () => {
    const { stderr } = await cli(env, 'verify', 'interactive');
    const shares = [...stderr.matchAll(/\((\d+) %/g)].map(([, share]) => Number(share));
    expect(shares.length).toBeGreaterThan(0);
    for (const share of shares) expect(share).toBeLessThanOrEqual(100);
    for (const step of ['counters', 'objects without counters', 'cached counters', 'cached marks'])
      expect(stderr).toContain(`${step}: `);
  });

  it('repairs while likes go on, in two processes at once, and neither loses nor doubles a like', async () => {
    const objects = Array.from({ length: 12 }, (_, i) => i + 1);
    const users = await Promise.all(
      Array.from({ length: 40 }, (_, i) => MarkUser.of(program, 900 + i, 'mended')),
    );
    for (const user of users.slice(0, 10)) await Promise.all(objects.map((id) => user.like(id)));
    /** Makes some counters too high, some too low, and deletes some. */
    const spoil = async (): Promise<void> => {
      await sql.change(
        "UPDATE interactives SET like_cnt = like_cnt + 7 WHERE biz = 'mended' AND biz_id % 3 = 0",
      );
      await sql.change(
        "UPDATE interactives SET like_cnt = 0 WHERE biz = 'mended' AND biz_id % 3 = 1",
      );
      await sql.change("DELETE FROM interactives WHERE biz = 'mended' AND biz_id % 3 = 2");
    };
    let isOver = false;
    let changes = 0;
    const load = Promise.all(
      users.map(async (user, i) => {
        for (let round = i; !isOver; round++) {
          const bizId = objects[round % objects.length]!;
          const { status, body } = await (round % 5 < 3 ? user.like(bizId) : user.unlike(bizId));
          expect(status).toBe(200);
          expect(body.likeCnt).toBeGreaterThanOrEqual(0);
          changes++;
        }
      }),
    );
    try {
      for (let round = 0; round < 3; round++) {
        await spoil();
        const repairs = await Promise.all(
          [1, 2].map(() => cli(env, 'verify', 'interactive', '--repair')),
        );
        expect(repairs.map(({ code }) => code)).toEqual([0, 0]);
        expect(await driftOf(sql)).toEqual([]);
      }
    } finally {
      isOver = true;
      await load;
    }
    expect(changes).toBeGreaterThan(100);
    expect(await driftOf(sql)).toEqual([]);
    expect(await cli(env, 'verify', 'interactive')).toMatchObject({ code: 0 });
  });

  it('never counts below zero, even when another program has changed the counters', async () => {
    const user = await MarkUser.of(program, 950, 'spoilt');
    await user.like(1);
    await user.collect(1);
    await user.like(2);
    await sql.change("UPDATE interactives SET like_cnt = 0, collect_cnt = 0 WHERE biz = 'spoilt'");
    await sql.change("DELETE FROM interactives WHERE biz = 'spoilt' AND biz_id = 2");
    for (const bizId of [1, 2])
      expect((await user.unlike(bizId)).body).toMatchObject({ likeCnt: 0, liked: false });
    expect((await user.uncollect(1)).body).toMatchObject({ collectCnt: 0, collected: false });
    expect(
      await sql.rows("SELECT like_cnt, collect_cnt FROM interactives WHERE biz = 'spoilt'"),
    ).toEqual(Array(2).fill({ like_cnt: 0, collect_cnt: 0 }));
    expect((await user.like(2)).body).toMatchObject({ likeCnt: 1, liked: true });
  });

  // A BIGINT holds more than a number can: the last digits are rounded, wherever it is shown.
  it.each([
    ['2^53 + 2', '9007199254740994'],
    ['2^63 - 1', '9223372036854775807'],
  ])('shows counters of %s, written by SQL, as numbers everywhere', async (_, written) => {
    const count = Number(written);
    const counts = { readCnt: count, likeCnt: count, collectCnt: count };
    const biz = `huge-${written.slice(0, 4)}`;
    const user = await MarkUser.of(program, 960, biz);
    await sql.change(
      `INSERT INTO interactives (biz, biz_id, read_cnt, like_cnt, collect_cnt)
       VALUES (?, 1, ${written}, ${written}, ${written}), (?, 2, 0, 0, 0)`,
      [biz, biz],
    );
    const path = `/api/interactive/${biz}/1`;
    // From MySQL, then from the cache.
    for (let i = 0; i < 2; i++)
      expect((await program.get(path)).body).toMatchObject({ ...counts, bizId: 1 });
    const query = { objects: [{ biz, bizId: 1 }] };
    expect((await program.post('/api/interactive/query', query)).body).toMatchObject({
      items: [counts],
    });
    for (const board of ['likes', 'reads', 'collects'])
      await eventually(async () => {
        const { body } = await program.get<{ data: object[] }>(`/api/ranking/${board}?limit=100`);
        expect(body.data).toContainEqual(
          expect.objectContaining({ biz, like_cnt: count, score: count }),
        );
      });

    // Captured states of a cached object.
    const half = written.replace(/.$/, '');
    await sql.change(
      `UPDATE interactives SET like_cnt = ${half}, read_cnt = ${written} WHERE biz = ? AND biz_id = 1`,
      [biz],
    );
    await eventually(async () => expect((await user.state(1)).likeCnt).toBe(Number(half)));
    await sql.change(`UPDATE interactives SET like_cnt = ${written} WHERE biz = ? AND biz_id = 1`, [
      biz,
    ]);

    // One more, up to the limit of the column; a message that would exceed it is no dead letter.
    expect((await user.like(1)).body).toMatchObject({ liked: true, likeCnt: Number(count + 1) });
    expect((await user.collect(1)).body).toMatchObject({ collected: true });
    for (const bizId of [1, 2])
      expect((await program.post(`/api/interactive/${biz}/${bizId}/reads`)).status).toBe(202);
    await eventually(async () => expect((await user.state(2)).readCnt).toBe(1));
    expect(await user.state(1)).toMatchObject({ readCnt: Number(count + 1), liked: true });
    const { body: metrics } = await program.get<string>('/metrics');
    expect(metrics).not.toMatch(/^webook_dead_letters_total\{.* [1-9]/m);
    expect((await user.unlike(1)).body).toMatchObject({ liked: false });
    const { stdout } = await cli(env, 'verify', 'interactive');
    expect(stdout).not.toContain(`${biz} 1: cache`);
    await sql.change('DELETE FROM interactives WHERE biz = ?', [biz]);
    await sql.change('DELETE FROM likes WHERE biz = ?', [biz]);
    await sql.change('DELETE FROM collection_items WHERE biz = ?', [biz]);
  });
});
