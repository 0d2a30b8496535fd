import { Redis } from 'ioredis';
import { type ArticleRead, articleReadTopic } from '../src/article';
import { EventPublisher, type EventLog, TopicProvisioner } from '../src/messaging';
import { createEventLog } from '../src/messaging/messaging.module';
import { Environment } from '../src/platform/config';
import { cli, engines, eventually, MarkUser, type ObjectState, Program, Sql } from './support';

const EVENTS = 10_000;
const ARTICLES = 100;
const GROUP = 'interactive';
const TOPIC = articleReadTopic.name;

interface History {
  items: { biz: string; bizId: number; readAt: number }[];
  nextCursor: string | null;
}

// The third engine differs from the second only in the form of captured rows.
describe.each(engines.slice(0, 2))('reads on $name', (engine) => {
  let env: Record<string, string>;
  let sql: Sql;
  let redis: Redis;
  let log: EventLog;
  let publisher: EventPublisher;
  let program: Program;

  const start = async (extra: Record<string, string> = {}): Promise<void> => {
    program = await Program.start({ env: { ...env, ...extra } });
  };
  const readsOf = async (biz: string): Promise<Map<number, number>> =>
    new Map(
      (
        await sql.rows<{ biz_id: number; read_cnt: number }>(
          'SELECT biz_id, read_cnt FROM interactives WHERE biz = ?',
          [biz],
        )
      ).map((row) => [row.biz_id, row.read_cnt]),
    );
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  /** Waits until the group has handled all messages of the log. */
  const caughtUp = (group: string): Promise<void> =>
    eventually(
      async () => {
        const ends = await log.endOffsets(TOPIC);
        const committed = await log.committedOffsets(group, TOPIC);
        expect(ends.map((end, p) => end - (committed[p] ?? 0))).toEqual(ends.map(() => 0));
      },
      { timeoutMs: 60_000 },
    );
  const eventsOf = (count: number, biz: string): ArticleRead[] =>
    Array.from({ length: count }, (_, i) => ({
      Aid: (i % ARTICLES) + 1,
      Uid: i + 1_000,
      Biz: biz,
    }));

  beforeAll(async () => {
    env = await engine.prepare('reads');
    sql = await Sql.open(env.MYSQL_URL!);
    redis = new Redis(env.REDIS_URL!);
    const environment = Object.assign(new Environment(), env);
    log = createEventLog(environment);
    publisher = new EventPublisher(log, new TopicProvisioner(log, environment));
    await start();
  });

  afterAll(async () => {
    await program?.stop();
    await log?.close();
    await sql?.close();
    redis?.disconnect();
  });

  it('counts 10,000 reads of 100 objects exactly, also when the last 5 % are delivered again', async () => {
    const events = eventsOf(EVENTS, 'replayed');
    for (let i = 0; i < EVENTS; i += 500)
      await publisher.publish(articleReadTopic, ...events.slice(i, i + 500));
    await caughtUp(GROUP);
    expect([...(await readsOf('replayed')).values()]).toEqual(
      Array(ARTICLES).fill(EVENTS / ARTICLES),
    );

    await program.stop();
    const ends = await log.endOffsets(TOPIC);
    const back = ends.map((end) => Math.max(0, end - Math.ceil(EVENTS * 0.05)));
    await eventually(() => log.rewind(GROUP, TOPIC, back), { timeoutMs: 60_000 });
    expect(await log.committedOffsets(GROUP, TOPIC)).toEqual(back);
    await start();
    await publisher.publish(articleReadTopic, { Aid: 1, Uid: 1, Biz: 'replayed' });
    await caughtUp(GROUP);
    expect(sum((await readsOf('replayed')).values())).toBe(EVENTS + 1);
  });

  it('counts reads regardless of the reader, also events that another language published', async () => {
    const ends = await log.endOffsets(TOPIC);
    await log.append(TOPIC, 'all', [
      { key: null, partition: 0, value: Buffer.from('{"Aid": 9007199254740991, "Uid": 77}') },
      { key: '5', partition: 1, value: Buffer.from('{"Uid":78,"Aid":5,"From":"elsewhere"}') },
    ]);
    await caughtUp(GROUP);
    expect(sum(await log.endOffsets(TOPIC))).toBe(sum(ends) + 2);
    expect(await readsOf('article')).toEqual(
      new Map([
        [9007199254740991, 1],
        [5, 1],
      ]),
    );
  });

  it('counts all other messages of a batch with a bad message, and dead-letters that one', async () => {
    const good = eventsOf(60, 'poisoned').map((event) => ({
      key: '1',
      partition: 0,
      value: articleReadTopic.encode(event),
    }));
    const bad = { key: '1', partition: 0, value: Buffer.from('{"Aid":-4,"Uid":1}') };
    await log.append(TOPIC, 'all', [...good.slice(0, 30), bad, ...good.slice(30)]);
    await caughtUp(GROUP);
    expect(sum((await readsOf('poisoned')).values())).toBe(60);
    const { stdout, stderr, code } = await cli(env, 'dead-letters', TOPIC);
    expect(code === 0 || stderr).toBe(true);
    // Each of the two groups has dead-lettered it.
    expect(stdout.split('\n').filter((line) => line.includes('group interactive'))).toHaveLength(1);
    expect(stdout).toContain('{"Aid":-4,"Uid":1}');
  });

  it('shows reads over HTTP, and keeps the history of signed-in users', async () => {
    const reader = await MarkUser.of(program, 500, 'podcast');
    for (const bizId of [1, 2, 3, 2]) {
      // The history is sorted by time in milliseconds.
      const now = Date.now();
      while (Date.now() === now) await new Promise((resolve) => setTimeout(resolve, 1));
      const { status } = await reader.request('POST', `/api/interactive/podcast/${bizId}/reads`);
      expect(status).toBe(202);
    }
    expect((await program.post('/api/interactive/podcast/1/reads')).status).toBe(202);
    await eventually(async () => {
      const states = await reader.states([1, 2, 3]);
      expect(states.map(({ readCnt }) => readCnt)).toEqual([2, 2, 1]);
    });
    await caughtUp('history');
    const all = await reader.all<History['items'][0]>('/api/history', 2);
    expect(all.map(({ bizId }) => bizId)).toEqual([2, 3, 1]);
    expect(await reader.request('DELETE', '/api/history/podcast/3')).toMatchObject({ status: 200 });
    expect(
      (await reader.all<History['items'][0]>('/api/history')).map(({ bizId }) => bizId),
    ).toEqual([2, 1]);
    expect(await reader.request('DELETE', '/api/history')).toMatchObject({ status: 200 });
    expect(await reader.all('/api/history')).toEqual([]);
  });

  it('hides what an interrupted deletion of a history left, and deletes it', async () => {
    const reader = await MarkUser.of(program, 501, 'podcast');
    const until = Date.UTC(2026, 0);
    await sql.change('INSERT INTO reading_history (uid, biz, biz_id, read_at) VALUES ?', [
      Array.from({ length: 6_000 }, (_, i) => [501, 'podcast', i + 1, until - i]),
    ]);
    await sql.change('INSERT INTO reading_history (uid, biz, biz_id, read_at) VALUES ?', [
      [[501, 'podcast', 10_000, until + 1]],
    ]);
    // The state that a crash right after the start of the deletion leaves.
    await sql.change('INSERT INTO history_deletions (uid, deleted_until) VALUES (501, ?)', [until]);
    const shown = async () =>
      (await reader.all<History['items'][0]>('/api/history')).map(({ bizId }) => bizId);
    expect(await shown()).toEqual([10_000]);
    await eventually(
      async () =>
        expect(await sql.rows('SELECT biz_id FROM reading_history WHERE uid = 501', [])).toEqual([
          { biz_id: 10_000 },
        ]),
      { timeoutMs: 60_000 },
    );
    await eventually(async () =>
      expect(await sql.rows('SELECT uid FROM history_deletions', [])).toEqual([]),
    );
    expect(await shown()).toEqual([10_000]);
  });

  it('shows counters that other programs write by SQL', async () => {
    const state = (): Promise<ObjectState> =>
      program.get<ObjectState>('/api/interactive/foreign/7').then(({ body }) => body);
    expect(await state()).toMatchObject({ readCnt: 0, likeCnt: 0, collectCnt: 0 });
    const { insertId } = await sql.change(
      "INSERT INTO interactives (biz, biz_id, read_cnt, like_cnt) VALUES ('foreign', 7, 41, 3)",
    );
    await eventually(async () => expect(await state()).toMatchObject({ readCnt: 41, likeCnt: 3 }));
    await sql.change('UPDATE interactives SET read_cnt = 43 WHERE id = ?', [insertId]);
    await eventually(async () => expect(await state()).toMatchObject({ readCnt: 43 }));
    await sql.change('DELETE FROM interactives WHERE id = ?', [insertId]);
    await eventually(async () => expect(await state()).toMatchObject({ readCnt: 0, likeCnt: 0 }));
  });

  it('shows rows that other programs replace, and each user their own like of them', async () => {
    const user = await MarkUser.of(program, 550, 'replaced');
    const likesOf = async (bizId: number): Promise<number> => (await user.state(bizId)).likeCnt;
    for (let i = 0; i < 5; i++) await (i % 2 === 0 ? user.like(1) : user.unlike(1));
    await sql.change(
      "REPLACE INTO interactives (biz, biz_id, like_cnt) VALUES ('replaced', 1, 776)",
    );
    await eventually(async () => expect(await likesOf(1)).toBe(776));
    await user.unlike(1);
    const { body } = await user.like(1);
    expect(body).toMatchObject({ likeCnt: 776, liked: true });
    expect(await user.state(1)).toEqual(body);

    await sql.change("UPDATE interactives SET biz = 'replaced-2' WHERE biz = 'replaced'");
    await eventually(async () => expect(await likesOf(1)).toBe(0));
    const moved = await program.get<ObjectState>('/api/interactive/replaced-2/1');
    expect(moved.body.likeCnt).toBe(776);
    await sql.change("DELETE FROM interactives WHERE biz = 'replaced-2'");
    await sql.change("DELETE FROM likes WHERE biz = 'replaced'");
  });

  it('counts the same with one message at a time', async () => {
    await program.stop();
    await start({ READ_CONSUMER: 'single' });
    await publisher.publish(articleReadTopic, ...eventsOf(200, 'single'));
    await caughtUp(GROUP);
    expect([...(await readsOf('single')).values()]).toEqual(Array(ARTICLES).fill(2));
  });
});
