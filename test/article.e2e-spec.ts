import {
  type Engine,
  engines,
  eventually,
  expectProblem,
  Program,
  Sql,
  streamsWithRelay,
} from './support';

interface Published {
  id: number;
  title: string;
  content: string;
  authorId: number;
  publishedAt: number;
  interactive: Record<string, unknown>;
}
interface Listed {
  items: { id: number; title: string; status: string }[];
  nextCursor: string | null;
}

const AUTHOR = 7;
const READER = 8;

describe('articles', () => {
  let program: Program;
  let other: Program;
  let sql: Sql;
  let author: { token: string };
  let reader: { token: string };

  beforeAll(async () => {
    const env = await streamsWithRelay.prepare('article');
    program = await Program.start({ env });
    other = await Program.start({ name: 'the other instance', env: { ...env, ROLE: 'api' } });
    sql = await Sql.open(env.MYSQL_URL!);
    author = { token: await program.token(AUTHOR) };
    reader = { token: await program.token(READER) };
  });
  afterAll(async () => {
    await sql?.close();
    await Promise.all([program?.stop(), other?.stop()]);
  });

  async function draft(title = 'On offsets', content = 'They only rise.'): Promise<number> {
    const { status, body } = await program.post<{ id: number }>(
      '/api/articles',
      { title, content },
      author,
    );
    expect(status).toBe(201);
    return body.id;
  }
  async function published(title?: string, content?: string): Promise<number> {
    const id = await draft(title, content);
    expect(await program.post(`/api/articles/${id}/publish`, undefined, author)).toMatchObject({
      status: 200,
      body: { id, status: 'published' },
    });
    return id;
  }
  const read = (id: number, from = program) => from.get<Published>(`/api/articles/${id}/published`);
  const expectNotFound = async (id: number, from = program) =>
    expectProblem(await read(id, from), 404, 'ARTICLE_NOT_FOUND');

  it('start as a draft that only the author sees', async () => {
    const id = await draft('Title 🦊', 'Text');
    const { body } = await program.get(`/api/articles/${id}`, author);
    expect(body).toEqual({
      id,
      title: 'Title 🦊',
      content: 'Text',
      status: 'draft',
      createdAt: expect.any(Number) as number,
      updatedAt: expect.any(Number) as number,
    });
    await expectNotFound(id);
    const path = `/api/articles/${id}`;
    const text = { title: 'x', content: 'y' };
    for (const answer of [
      await program.get(path, reader),
      await program.put(path, text, reader),
      await program.post(`${path}/publish`, undefined, reader),
      await program.post(`${path}/withdraw`, undefined, reader),
    ])
      expectProblem(answer, 404, 'ARTICLE_NOT_FOUND');
    expect((await program.get<Published>(path, author)).body.title).toBe('Title 🦊');
  });

  it('are visible after publishing, and edits only after publishing again', async () => {
    const id = await published('First', 'One');
    const first = await read(id);
    expect(first).toMatchObject({
      status: 200,
      body: { id, title: 'First', content: 'One', authorId: AUTHOR },
    });
    const edit = { title: 'Second', content: 'Two' };
    expect(await program.put(`/api/articles/${id}`, edit, author)).toMatchObject({
      status: 200,
      body: { id },
    });
    expect((await read(id)).body.title).toBe('First');
    await program.post(`/api/articles/${id}/publish`, undefined, author);
    const second = await read(id);
    // The same row was updated: it keeps the time of the first publication.
    expect(second.body).toMatchObject({ ...edit, publishedAt: first.body.publishedAt });
    expect(await sql.rows('SELECT id, status FROM published_articles WHERE id = ?', [id])).toEqual([
      { id, status: 2 },
    ]);
  });

  it('are invisible to readers once withdrawn: at once on this instance, within a second on others', async () => {
    const id = await published();
    expect((await read(id)).status).toBe(200);
    expect((await read(id, other)).status).toBe(200);
    const withdraw = () => program.post(`/api/articles/${id}/withdraw`, undefined, author);
    expect(await withdraw()).toMatchObject({ status: 200, body: { id, status: 'withdrawn' } });
    await expectNotFound(id);
    const like = `/api/interactive/article/${id}/like`;
    expectProblem(await program.put(like, undefined, reader), 404, 'ARTICLE_NOT_FOUND');
    // A read of it is still accepted as an event, as for any other object.
    expect((await program.post(`/api/interactive/article/${id}/reads`)).status).toBe(202);
    await eventually(() => expectNotFound(id, other));
    await eventually(async () =>
      expectProblem(await other.put(like, undefined, reader), 404, 'ARTICLE_NOT_FOUND'),
    );
    expect(await withdraw()).toMatchObject({ status: 200, body: { id, status: 'withdrawn' } });
    await program.post(`/api/articles/${id}/publish`, undefined, author);
    expect((await read(id)).status).toBe(200);
  });

  it('cannot be withdrawn before they were published', async () => {
    const id = await draft();
    expectProblem(
      await program.post(`/api/articles/${id}/withdraw`, undefined, author),
      409,
      'ARTICLE_NOT_PUBLISHED',
    );
    expect(await program.get(`/api/articles/${id}`, author)).toMatchObject({
      body: { status: 'draft' },
    });
  });

  it('have the same state for author and readers when publishing and withdrawing race', async () => {
    const id = await published();
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? program : other).post(
          `/api/articles/${id}/${i % 3 ? 'publish' : 'withdraw'}`,
          undefined,
          author,
        ),
      ),
    );
    const [row] = await sql.rows<{ own: number; shown: number }>(
      `SELECT a.status AS own, p.status AS shown
       FROM articles a JOIN published_articles p USING (id) WHERE id = ?`,
      [id],
    );
    expect(row?.shown).toBe(row?.own);
  });

  it('are listed for their author, newest first, in pages that later articles do not shift', async () => {
    const own = { token: await program.token(99) };
    const ids: number[] = [];
    for (let i = 0; i < 5; i++) {
      const body = { title: `T${i}`, content: '' };
      ids.unshift((await program.post<{ id: number }>('/api/articles', body, own)).body.id);
    }
    const page = async (cursor: string | null) => {
      const query = cursor === null ? 'limit=2' : `limit=2&cursor=${cursor}`;
      return (await program.get<Listed>(`/api/articles?${query}`, own)).body;
    };
    const first = await page(null);
    await program.post('/api/articles', { title: 'later', content: '' }, own);
    const second = await page(first.nextCursor);
    const third = await page(second.nextCursor);
    const seen = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
    expect(seen).toEqual(ids);
    expect(third.nextCursor).toBeNull();
    expect(Object.keys(first.items[0]!).sort()).toEqual(
      ['id', 'title', 'status', 'createdAt', 'updatedAt'].sort(),
    );
  });

  it.each([
    [{ title: '', content: 'x' }, 'title'],
    [{ title: '   ', content: 'x' }, 'title'],
    [{ title: '\u200b\u3164\u0301', content: 'x' }, 'title'],
    [{ title: 'x'.repeat(201), content: 'x' }, 'title'],
    [{ title: '❤️'.repeat(200), content: 'x' }, 'title'],
    [{ title: 5, content: 'x' }, 'title'],
    [{ title: 'x' }, 'content'],
    [{ title: 'x', content: 'x'.repeat(200_001) }, 'content'],
  ])('need a title and content within the length limits: %#', async (body, field) => {
    const { errors } = expectProblem(
      await program.post('/api/articles', body, author),
      400,
      'VALIDATION_FAILED',
    );
    expect(errors?.map((error) => error.field)).toEqual([field]);
  });

  it('with an unknown status, written by another program, are listed as drafts', async () => {
    const own = { token: await program.token(98) };
    await sql.change(
      "INSERT INTO articles (id, author_id, title, content, status) VALUES (?, 98, 'T', '', 77)",
      [5_000_000_002],
    );
    const { body } = await program.get<Listed>('/api/articles', own);
    expect(body.items).toMatchObject([{ id: 5_000_000_002, status: 'draft' }]);
  });

  it('are visible to readers when another program publishes them by SQL', async () => {
    const id = 5_000_000_001;
    await expectNotFound(id);
    await sql.change(
      'INSERT INTO published_articles (id, author_id, title, content) VALUES (?, 3, ?, ?)',
      [id, 'From outside', 'x'],
    );
    expect(
      (
        await eventually(async () => {
          const answer = await read(id);
          expect(answer.status).toBe(200);
          return answer;
        })
      ).body,
    ).toMatchObject({ id, authorId: 3, title: 'From outside' });
  });
});

describe.each(engines)('reading an article on $name', (engine: Engine) => {
  let program: Program;
  afterEach(() => program?.stop());

  it('is counted and added to the history', async () => {
    program = await Program.start({ env: await engine.prepare('article_reads') });
    const author = { token: await program.token(AUTHOR) };
    const reader = { token: await program.token(READER) };
    const text = { title: 'Read me', content: 'x' };
    const { id } = (await program.post<{ id: number }>('/api/articles', text, author)).body;
    await program.post(`/api/articles/${id}/publish`, undefined, author);

    const path = `/api/articles/${id}/published`;
    const counts = { readCnt: 0, likeCnt: 0, collectCnt: 0, liked: false, collected: false };
    expect(await program.get(path)).toMatchObject({ status: 200, body: { interactive: counts } });
    // HEAD answers like GET but counts no read.
    const head = await program.request('HEAD', path, undefined, reader);
    expect(head).toMatchObject({ status: 200, body: '' });
    await program.get(path, reader);
    await program.get(path, reader);
    await program.put(`/api/interactive/article/${id}/like`, undefined, reader);

    await eventually(async () => {
      const { body } = await program.get(`/api/interactive/article/${id}`, reader);
      expect(body).toMatchObject({ readCnt: 3, likeCnt: 1, liked: true });
    });
    await eventually(async () => {
      const { body } = await program.get<{ items: object[] }>('/api/history', reader);
      expect(body.items).toEqual([
        { biz: 'article', bizId: id, readAt: expect.any(Number) as number },
      ]);
    });
  });
});
