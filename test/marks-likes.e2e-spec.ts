import {
  atOnce,
  below,
  driftOf,
  isolatedStack,
  MarkUser,
  type ObjectState,
  type PageOf,
  type Problem,
  Program,
  Sql,
} from './support';

/** The part of a state that is about likes. */
const likesOf = ({ likeCnt, liked }: ObjectState) => ({ likeCnt, liked });

describe('likes', () => {
  let program: Program;
  let other: Program;
  let sql: Sql;

  beforeAll(async () => {
    const env = { ...(await isolatedStack('marks_likes')) };
    program = await Program.start({ env });
    other = await Program.start({ name: 'other instance', env: { ...env, ROLE: 'api' } });
    sql = await Sql.open(env.MYSQL_URL);
  });

  afterAll(async () => {
    await Promise.all([program?.stop(), other?.stop(), sql?.close()]);
  });

  const rowsOf = (uid: number) =>
    sql.rows<{ status: number; version: number }>(
      'SELECT status, version FROM likes WHERE uid = ?',
      [uid],
    );

  it('counts a like once and removes it once, however often it is sent', async () => {
    const user = await MarkUser.of(program, 1);
    const answers = [];
    for (const send of ['like', 'like', 'unlike', 'unlike', 'like'] as const)
      answers.push(await user[send](100));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(answers.map(({ body }) => likesOf(body))).toEqual([
      { likeCnt: 1, liked: true },
      { likeCnt: 1, liked: true },
      { likeCnt: 0, liked: false },
      { likeCnt: 0, liked: false },
      { likeCnt: 1, liked: true },
    ]);
    expect(await rowsOf(1)).toEqual([{ status: 1, version: 3 }]);
  });

  it('creates no row for an unlike of an object that was never liked', async () => {
    const user = await MarkUser.of(program, 2);
    const { status, body } = await user.unlike(101);
    expect(status).toBe(200);
    expect(body).toEqual({
      biz: 'video',
      bizId: 101,
      readCnt: 0,
      likeCnt: 0,
      collectCnt: 0,
      liked: false,
      collected: false,
    });
    expect(await rowsOf(2)).toEqual([]);
    expect(await sql.rows('SELECT id FROM interactives WHERE biz_id = 101')).toEqual([]);
  });

  it('shows users their own like at once, also on another instance', async () => {
    const [here, there] = await Promise.all([MarkUser.of(program, 3), MarkUser.of(other, 3)]);
    for (let round = 0; round < 20; round++) {
      const isLike = round % 2 === 0;
      const [writer, reader] = round % 4 < 2 ? [here, there] : [there, here];
      await (isLike ? writer.like(102) : writer.unlike(102));
      const expected = { likeCnt: isLike ? 1 : 0, liked: isLike };
      expect(likesOf(await reader.state(102))).toEqual(expected);
      expect(likesOf((await writer.states([102]))[0]!)).toEqual(expected);
    }
  });

  it('never shows a user the marks of another user', async () => {
    const [fan, stranger] = await Promise.all([MarkUser.of(program, 4), MarkUser.of(program, 5)]);
    await fan.like(103);
    expect(likesOf(await stranger.state(103))).toEqual({ likeCnt: 1, liked: false });
    const anonymous = await program.get<ObjectState>('/api/interactive/video/103');
    expect(likesOf(anonymous.body)).toEqual({ likeCnt: 1, liked: false });
  });

  it('answers toggles of one user on ten connections, and ends in the state of the last one', async () => {
    const users = await Promise.all([MarkUser.of(program, 6), MarkUser.of(other, 6)]);
    const answers: { sent: number; received: number; liked: boolean }[] = [];
    await atOnce(300, 10, async (index) => {
      const wanted = below(2) === 0;
      const user = users[index % users.length]!;
      const sent = performance.now();
      const { status, body } = await (wanted ? user.like(104) : user.unlike(104));
      answers.push({ sent, received: performance.now(), liked: body.liked });
      expect(status).toBe(200);
      // Only this user likes it, so the flag and the count of each answer must agree.
      expect(likesOf(body)).toEqual({ liked: wanted, likeCnt: wanted ? 1 : 0 });
    });
    // The request that was executed last was still under way when the last one was sent.
    const lastSent = Math.max(...answers.map(({ sent }) => sent));
    const lastAnswers = answers.filter(({ received }) => received >= lastSent);
    const final = await users[0]!.state(104);
    expect(lastAnswers.map(({ liked }) => liked)).toContain(final.liked);
    expect(likesOf(await users[1]!.state(104))).toEqual(likesOf(final));
    const [row] = await rowsOf(6);
    expect({ liked: row!.status === 1, likeCnt: final.likeCnt }).toEqual({
      liked: final.liked,
      likeCnt: final.liked ? 1 : 0,
    });
  });

  it('keeps every counter correct when many users like one object at once', async () => {
    const users = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        MarkUser.of(index % 2 ? program : other, 1_000 + index),
      ),
    );
    const counts = await Promise.all(users.map(async (user) => (await user.like(105)).body));
    expect(counts.every(({ liked }) => liked)).toBe(true);
    expect(Math.max(...counts.map(({ likeCnt }) => likeCnt))).toBe(64);
    // Each user's answer counts their like, and no user sees a count that was never true.
    expect([...counts.map(({ likeCnt }) => likeCnt)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, index) => index + 1),
    );
    expect((await users[0]!.state(105)).likeCnt).toBe(64);
  });

  it('accepts ids up to 2^53-1 and kinds of every allowed form', async () => {
    const bizId = Number.MAX_SAFE_INTEGER;
    const user = await MarkUser.of(program, Number.MAX_SAFE_INTEGER, 'a_b-9');
    expect(likesOf((await user.like(bizId)).body)).toEqual({ likeCnt: 1, liked: true });
    expect(likesOf(await user.state(bizId))).toEqual({ likeCnt: 1, liked: true });
    const [like] = await user.all<{ bizId: number }>('/api/interactive/likes');
    expect(like).toMatchObject({ biz: 'a_b-9', bizId });
  });

  it('lists a user’s own likes newest first, page by page, of all kinds or of one', async () => {
    const video = await MarkUser.of(program, 7);
    const song = await MarkUser.of(program, 7, 'song');
    // All at once, so that some have the same millisecond.
    await Promise.all(
      Array.from({ length: 25 }, (_, index) => [video.like(200 + index), song.like(200 + index)])
        .flat()
        .map((answer) => answer),
    );
    await video.unlike(203);
    await video.unlike(204);
    await video.like(204);
    interface Liked {
      biz: string;
      bizId: number;
      likedAt: number;
    }
    const all = await video.all<Liked>('/api/interactive/likes', 7);
    expect(all).toHaveLength(49);
    expect(new Set(all.map(({ biz, bizId }) => `${biz}:${bizId}`)).size).toBe(49);
    expect(all[0]).toMatchObject({ biz: 'video', bizId: 204 });
    expect(all.some(({ biz, bizId }) => biz === 'video' && bizId === 203)).toBe(false);
    const times = all.map(({ likedAt }) => likedAt);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    const songs = await video.all<Liked>('/api/interactive/likes?biz=song', 10);
    expect(songs).toEqual(all.filter(({ biz }) => biz === 'song'));
  });

  it('repeats and skips nothing between two pages while newer likes arrive', async () => {
    const user = await MarkUser.of(program, 8);
    for (let bizId = 300; bizId < 306; bizId++) await user.like(bizId);
    const path = '/api/interactive/likes?limit=3';
    const first = await user.request<PageOf<{ bizId: number }>>('GET', path);
    await user.like(306);
    const second = await user.request<PageOf<{ bizId: number }>>(
      'GET',
      `${path}&cursor=${first.body.nextCursor}`,
    );
    expect([...first.body.items, ...second.body.items].map(({ bizId }) => bizId)).toEqual([
      305, 304, 303, 302, 301, 300,
    ]);
    expect(second.body.nextCursor).toBeNull();
  });

  describe('of articles', () => {
    async function article(authorId: number): Promise<{ id: number; token: string }> {
      const token = await program.token(authorId);
      const draft = { title: 'Title', content: 'Content' };
      const { body } = await program.post<{ id: number }>('/api/articles', draft, { token });
      return { id: body.id, token };
    }

    it('are accepted for published ones only', async () => {
      const { id, token } = await article(9);
      const user = await MarkUser.of(program, 10, 'article');
      const expectMissing = async () => {
        for (const answer of [
          await user.like(id),
          await user.unlike(id),
          await user.collect(id),
          await user.uncollect(id),
        ])
          expect([answer.status, (answer.body as unknown as Problem).code]).toEqual([
            404,
            'ARTICLE_NOT_FOUND',
          ]);
      };
      await expectMissing();
      expect(await rowsOf(10)).toEqual([]);

      await program.post(`/api/articles/${id}/publish`, undefined, { token });
      expect(likesOf((await user.like(id)).body)).toEqual({ likeCnt: 1, liked: true });

      await program.post(`/api/articles/${id}/withdraw`, undefined, { token });
      await expectMissing();
      expect(await rowsOf(10)).toEqual([{ status: 1, version: 1 }]);
    });
  });

  describe('bad input', () => {
    const bad: [string, string, number, string][] = [
      ['no id', '/api/interactive/video/0/like', 400, 'VALIDATION_FAILED'],
      ['a negative id', '/api/interactive/video/-1/like', 400, 'VALIDATION_FAILED'],
      ['a fraction', '/api/interactive/video/1.5/like', 400, 'VALIDATION_FAILED'],
      [
        'an id above 2^53-1',
        '/api/interactive/video/9007199254740992/like',
        400,
        'VALIDATION_FAILED',
      ],
      ['text for an id', '/api/interactive/video/one/like', 400, 'VALIDATION_FAILED'],
      ['an upper-case biz', '/api/interactive/Video/1/like', 400, 'VALIDATION_FAILED'],
      [
        'a biz of 33 characters',
        `/api/interactive/${'v'.repeat(33)}/1/like`,
        400,
        'VALIDATION_FAILED',
      ],
      [
        'an article that does not exist',
        '/api/interactive/article/404404/like',
        404,
        'ARTICLE_NOT_FOUND',
      ],
    ];

    it.each(bad)('%s is refused and changes nothing', async (_what, path, status, code) => {
      const token = await program.token(11);
      for (const method of ['PUT', 'DELETE']) {
        const answer = await program.request<Problem>(method, path, undefined, { token });
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        expect([answer.status, answer.body.code]).toEqual([status, code]);
      }
      expect(await rowsOf(11)).toEqual([]);
    });

    it('needs a token', async () => {
      for (const [method, path] of [
        ['PUT', '/api/interactive/video/1/like'],
        ['DELETE', '/api/interactive/video/1/like'],
        ['PUT', '/api/interactive/video/1/collection'],
        ['DELETE', '/api/interactive/video/1/collection'],
        ['GET', '/api/interactive/likes'],
        ['GET', '/api/collections'],
      ] as const)
        expect((await program.request(method, path)).status).toBe(401);
    });

    it.each([
      ['limit=0', 'VALIDATION_FAILED'],
      ['limit=101', 'VALIDATION_FAILED'],
      ['limit=ten', 'VALIDATION_FAILED'],
      ['biz=No', 'VALIDATION_FAILED'],
      ['cursor=nonsense', 'INVALID_CURSOR'],
    ])('refuses a list with %s', async (query, code) => {
      const token = await program.token(11);
      const path = `/api/interactive/likes?${query}`;
      const { status, body } = await program.get<Problem>(path, { token });
      expect([status, body.code]).toEqual([400, code]);
    });

    it('answers a query in its order, each object as often as it is listed', async () => {
      const user = await MarkUser.of(program, 13);
      await user.like(451);
      const states = await user.states([452, 451, 452, 451]);
      expect(states.map(({ bizId, liked, likeCnt }) => [bizId, liked, likeCnt])).toEqual([
        [452, false, 0],
        [451, true, 1],
        [452, false, 0],
        [451, true, 1],
      ]);
      expect(await user.states(Array.from({ length: 100 }, (_, i) => 500 + i))).toHaveLength(100);
    });

    const video = { biz: 'video', bizId: 1 };
    it.each([
      [{ objects: Array(101).fill(video) }, ['objects']],
      [{ objects: [] }, ['objects']],
      [{ objects: video }, ['objects']],
      [{}, ['objects']],
      [{ objects: [video], more: 1 }, ['more']],
      [{ objects: [video, { biz: 'No', bizId: 0 }] }, ['objects.1.biz', 'objects.1.bizId']],
      [
        { objects: [{ biz: 'video' }, { ...video, more: 1 }] },
        ['objects.0.bizId', 'objects.1.more'],
      ],
      [{ objects: [null, [], 'video'] }, ['objects.0', 'objects.1', 'objects.2']],
      [[video], ['body']],
    ])('refuses a query, and names each wrong field: %#', async (body, fields) => {
      const answer = await program.post<Problem>('/api/interactive/query', body);
      expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
      expect(answer.body.errors?.map(({ field }) => field)).toEqual(fields);
    });

    it('refuses a cursor that was changed, or that belongs to another list', async () => {
      const user = await MarkUser.of(program, 12);
      for (const bizId of [1, 2, 3]) await user.like(400 + bizId);
      await user.createFolder('a');
      await user.createFolder('b');
      const page = (path: string) => user.request<PageOf<unknown> & Problem>('GET', path);
      const { nextCursor } = (await page('/api/interactive/likes?limit=1')).body;
      const flipped = nextCursor!.replace(/./, (first) => (first === 'A' ? 'B' : 'A'));
      const foreign = (await page('/api/collections?limit=1')).body.nextCursor;
      for (const cursor of [flipped, foreign]) {
        const { status, body } = await page(`/api/interactive/likes?cursor=${cursor}`);
        expect([status, body.code]).toEqual([400, 'INVALID_CURSOR']);
      }
    });
  });

  it('leaves no counter that differs from its records', async () => {
    expect(await driftOf(sql)).toEqual([]);
  });
});
