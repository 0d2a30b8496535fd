import {
  atOnce,
  below,
  driftOf,
  eventually,
  type Folder,
  isolatedStack,
  MarkUser,
  type ObjectState,
  type PageOf,
  type Problem,
  Program,
  type StackEnvironment,
  Sql,
} from './support';

/** The part of a state that is about collects. */
const collectsOf = ({ collectCnt, collected }: ObjectState) => ({ collectCnt, collected });

describe('collections', () => {
  let stack: StackEnvironment;
  let program: Program;
  let other: Program;
  let sql: Sql;
  let nextUser = 1;

  beforeAll(async () => {
    stack = await isolatedStack('marks_collections');
    program = await Program.start({ env: { ...stack } });
    other = await Program.start({ name: 'other instance', env: { ...stack, ROLE: 'api' } });
    sql = await Sql.open(stack.MYSQL_URL);
  });

  afterAll(async () => {
    await Promise.all([program?.stop(), other?.stop(), sql?.close()]);
  });

  const newUser = (): Promise<MarkUser> => MarkUser.of(program, nextUser++);

  const codeOf = async (user: MarkUser, method: string, path: string, body?: unknown) => {
    const answer = await user.request<Problem>(method, path, body);
    return [answer.status, answer.body.code];
  };

  it('collects into a default folder that is created on first use', async () => {
    const user = await newUser();
    expect(await user.folders()).toEqual([]);
    const { status, body } = await user.collect(1);
    expect(status).toBe(200);
    expect(collectsOf(body)).toEqual({ collectCnt: 1, collected: true });
    const folders = await user.folders();
    expect(folders).toEqual([{ id: expect.any(Number), name: 'Default', itemCount: 1 }]);
    expect(await user.itemsOf(folders[0]!.id)).toEqual([1]);
  });

  it('collects without a request body', async () => {
    const user = await newUser();
    const answer = await user.request<ObjectState>('PUT', '/api/interactive/video/2/collection');
    expect(answer.status).toBe(200);
    expect(collectsOf(answer.body)).toEqual({ collectCnt: 1, collected: true });
  });

  it('creates one default folder when a user’s first collects are sent at once', async () => {
    const id = nextUser++;
    const users = await Promise.all([MarkUser.of(program, id), MarkUser.of(other, id)]);
    await atOnce(20, 20, async (index) => {
      expect((await users[index % 2]!.collect(1_000 + index)).status).toBe(200);
    });
    const folders = await users[0]!.folders();
    expect(folders.map(({ name, itemCount }) => [name, itemCount])).toEqual([['Default', 20]]);
  });

  it('uses a folder with the default name as the default, and creates a new one after its deletion', async () => {
    const user = await newUser();
    const mine = await user.createFolder('Default');
    await user.collect(10);
    expect(await user.itemsOf(mine.id)).toEqual([10]);
    expect((await user.request('DELETE', `/api/collections/${mine.id}`)).status).toBe(200);
    expect((await user.collect(10)).status).toBe(200);
    const [folder] = await user.folders();
    expect(folder).toMatchObject({ name: 'Default', itemCount: 1 });
    expect(folder!.id).not.toBe(mine.id);
  });

  it('notices on one instance that another deleted the default folder', async () => {
    const id = nextUser++;
    const [here, there] = await Promise.all([MarkUser.of(program, id), MarkUser.of(other, id)]);
    await here.collect(11);
    const [folder] = await here.folders();
    expect((await there.request('DELETE', `/api/collections/${folder!.id}`)).status).toBe(200);
    expect((await here.collect(11)).status).toBe(200);
    expect(collectsOf(await there.state(11))).toEqual({ collectCnt: 1, collected: true });
  });

  it('counts an object once per user, whatever its folder, and moves it between folders', async () => {
    const user = await newUser();
    const [first, second] = [await user.createFolder('first'), await user.createFolder('second')];
    await user.collect(20, first.id);
    expect(collectsOf((await user.collect(20, first.id)).body).collectCnt).toBe(1);
    const moved = await user.collect(20, second.id);
    expect(collectsOf(moved.body)).toEqual({ collectCnt: 1, collected: true });
    expect((await user.folders()).map(({ name, itemCount }) => [name, itemCount])).toEqual([
      ['first', 0],
      ['second', 1],
    ]);
    expect([await user.itemsOf(first.id), await user.itemsOf(second.id)]).toEqual([[], [20]]);
    expect(collectsOf((await user.uncollect(20)).body)).toEqual({
      collectCnt: 0,
      collected: false,
    });
    expect(collectsOf((await user.uncollect(20)).body)).toEqual({
      collectCnt: 0,
      collected: false,
    });
    expect(await user.itemsOf(second.id)).toEqual([]);
  });

  it('creates no row for an un-collect of an object that was never collected', async () => {
    const user = await newUser();
    expect(collectsOf((await user.uncollect(21)).body)).toEqual({
      collectCnt: 0,
      collected: false,
    });
    expect(await sql.rows('SELECT uid FROM collection_items WHERE biz_id = 21')).toEqual([]);
  });

  it('lists the items of a folder newest first, page by page', async () => {
    const user = await newUser();
    const folder = await user.createFolder('many');
    await Promise.all(
      Array.from({ length: 25 }, (_, index) => user.collect(30 + index, folder.id)),
    );
    await user.collect(99, folder.id);
    const items = await user.all<{ biz: string; bizId: number; collectedAt: number }>(
      `/api/collections/${folder.id}/items`,
      4,
    );
    expect(items).toHaveLength(26);
    expect(new Set(items.map(({ bizId }) => bizId)).size).toBe(26);
    expect(items[0]).toMatchObject({ biz: 'video', bizId: 99 });
    const times = items.map(({ collectedAt }) => collectedAt);
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  it('lists folders page by page in the order of their creation', async () => {
    const user = await newUser();
    const names = Array.from({ length: 7 }, (_, index) => `folder ${7 - index}`);
    for (const name of names) await user.createFolder(name);
    const folders = await user.all<Folder>('/api/collections', 3);
    expect(folders.map(({ name }) => name)).toEqual(names);
  });

  it('keeps folder names unique per user, not across users', async () => {
    const [user, stranger] = [await newUser(), await newUser()];
    const folder = await user.createFolder('To read');
    const second = await user.createFolder('Read');
    const taken = [409, 'COLLECTION_NAME_TAKEN'];
    expect(await codeOf(user, 'POST', '/api/collections', { name: 'To read' })).toEqual(taken);
    expect(await codeOf(user, 'POST', '/api/collections', { name: '  To read ' })).toEqual(taken);
    const path = `/api/collections/${second.id}`;
    expect(await codeOf(user, 'PATCH', path, { name: 'To read' })).toEqual(taken);
    expect((await stranger.createFolder('To read')).name).toBe('To read');
    expect((await user.folders()).map(({ id, name }) => [id, name])).toEqual([
      [folder.id, 'To read'],
      [second.id, 'Read'],
    ]);
  });

  it('accepts one of many simultaneous requests for the same name', async () => {
    const user = await newUser();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => user.request('POST', '/api/collections', { name: 'same' })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('renames a folder, also to the name that it has', async () => {
    const user = await newUser();
    const { id } = await user.createFolder('old');
    await user.collect(60, id);
    for (const name of ['new', 'new']) {
      const answer = await user.request<Folder>('PATCH', `/api/collections/${id}`, { name });
      expect([answer.status, answer.body]).toEqual([200, { id, name: 'new', itemCount: 1 }]);
    }
    expect((await user.createFolder('old')).id).not.toBe(id);
  });

  it('un-collects the items of a folder when it is deleted, in several chunks', async () => {
    const [user, stranger] = [await newUser(), await newUser()];
    const [doomed, kept] = [await user.createFolder('doomed'), await user.createFolder('kept')];
    const ids = Array.from({ length: 300 }, (_, index) => 2_000 + index);
    await Promise.all(ids.map((bizId) => user.collect(bizId, doomed.id)));
    await user.collect(2_001, kept.id);
    await stranger.collect(2_000);
    const answer = await user.request('DELETE', `/api/collections/${doomed.id}`);
    expect([answer.status, answer.body]).toEqual([200, { id: doomed.id, deleted: true }]);

    const states = [
      ...(await user.states(ids.slice(0, 100))),
      ...(await user.states(ids.slice(200))),
    ];
    const collected = new Map(states.map((state) => [state.bizId, collectsOf(state)]));
    expect(collected.get(2_000)).toEqual({ collectCnt: 1, collected: false });
    expect(collected.get(2_001)).toEqual({ collectCnt: 1, collected: true });
    collected.delete(2_000);
    collected.delete(2_001);
    for (const state of collected.values())
      expect(state).toEqual({ collectCnt: 0, collected: false });
    expect((await user.folders()).map(({ id }) => id)).toEqual([kept.id]);
    expect((await user.createFolder('doomed')).id).not.toBe(doomed.id);
  });

  it('answers before a large folder is empty, and empties it in the background', async () => {
    const uid = nextUser;
    const user = await newUser();
    const { id } = await user.createFolder('large');
    const bizIds = Array.from({ length: 40_000 }, (_, index) => 1_000_000 + index);
    for (let i = 0; i < bizIds.length; i += 10_000) {
      const some = bizIds.slice(i, i + 10_000);
      await sql.change('INSERT INTO interactives (biz, biz_id, collect_cnt) VALUES ?', [
        some.map((bizId) => ['large', bizId, 1]),
      ]);
      await sql.change(
        'INSERT INTO collection_items (uid, biz, biz_id, collection_id, status) VALUES ?',
        [some.map((bizId) => [uid, 'large', bizId, id, 1])],
      );
    }
    const left = async (): Promise<number> => {
      const [row] = await sql.rows<{ items: number }>(
        'SELECT COUNT(*) AS items FROM collection_items WHERE collection_id = ? AND status = 1',
        [id],
      );
      return row!.items;
    };
    const answer = await user.request('DELETE', `/api/collections/${id}`);
    expect([answer.status, answer.body]).toEqual([200, { id, deleted: true }]);
    expect(await user.folders()).toEqual([]);
    expect(await left()).toBeGreaterThan(0);
    await eventually(async () => expect(await left()).toBe(0), { timeoutMs: 120_000 });
    await eventually(async () =>
      expect(await sql.rows('SELECT id FROM collections WHERE id = ?', [id])).toEqual([]),
    );
  });

  it('finishes an interrupted deletion when it is requested again', async () => {
    const user = await newUser();
    const { id } = await user.createFolder('half gone');
    await user.collect(70, id);
    // The state that a crash right after the start of the deletion leaves.
    await sql.change('UPDATE collections SET name = NULL WHERE id = ?', [id]);
    expect(await user.folders()).toEqual([]);
    expect(
      await codeOf(user, 'PUT', '/api/interactive/video/71/collection', { collectionId: id }),
    ).toEqual([404, 'COLLECTION_NOT_FOUND']);
    expect((await user.request('DELETE', `/api/collections/${id}`)).status).toBe(200);
    expect(collectsOf(await user.state(70))).toEqual({ collectCnt: 0, collected: false });
    expect(await sql.rows('SELECT id FROM collections WHERE id = ?', [id])).toEqual([]);
  });

  it('finishes an interrupted deletion without a request', async () => {
    const user = await newUser();
    const { id } = await user.createFolder('left behind');
    await user.collect(72, id);
    await sql.change('UPDATE collections SET name = NULL WHERE id = ?', [id]);
    await eventually(
      async () =>
        expect(await sql.rows('SELECT id FROM collections WHERE id = ?', [id])).toEqual([]),
      { timeoutMs: 100_000 },
    );
    expect(collectsOf(await user.state(72))).toEqual({ collectCnt: 0, collected: false });
  });

  it('stays exact while objects move between folders that are being deleted', async () => {
    const id = nextUser++;
    const users = await Promise.all([MarkUser.of(program, id), MarkUser.of(other, id)]);
    const ids = Array.from({ length: 10 }, (_, index) => 3_000 + index);
    let folders: number[] = [];
    for (let index = 0; index < 4; index++)
      folders.push((await users[0]!.createFolder(`folder ${index}`)).id);
    const statuses = new Map<number, number>();
    await atOnce(400, 20, async (index) => {
      const user = users[index % 2]!;
      const bizId = ids[below(ids.length)]!;
      const folder = folders[below(folders.length)]!;
      let status: number;
      if (index % 40 === 39) {
        ({ status } = await user.request('DELETE', `/api/collections/${folder}`));
        const created = await user.createFolder(`made at ${index}`);
        folders = folders.map((each) => (each === folder ? created.id : each));
      } else if (index % 5 === 0) ({ status } = await user.uncollect(bizId));
      else ({ status } = await user.collect(bizId, folder));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    });
    expect([...statuses.keys()].every((status) => status === 200 || status === 404)).toBe(true);
    const listed = await users[0]!.folders();
    const contents = new Map<number, number[]>();
    for (const folder of listed) contents.set(folder.id, await users[1]!.itemsOf(folder.id));
    for (const folder of listed) expect(folder.itemCount).toBe(contents.get(folder.id)!.length);
    const collected = [...contents.values()].flat();
    expect(new Set(collected).size).toBe(collected.length);
    for (const state of await users[0]!.states(ids)) {
      const isCollected = collected.includes(state.bizId);
      expect(collectsOf(state)).toEqual({
        collectCnt: isCollected ? 1 : 0,
        collected: isCollected,
      });
    }
  });

  /** Waits until the programs run this many statements that begin with `statement`. */
  const underWay = (count: number, statement: string): Promise<void> =>
    eventually(async () => {
      const found = await sql.rows(
        `SELECT ID FROM information_schema.PROCESSLIST
         WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE ?`,
        [`${statement}%`],
      );
      expect(found).toHaveLength(count);
    });

  it('creates one folder when several requests want the name of one that is being deleted', async () => {
    const id = nextUser++;
    const users = await Promise.all([program, other].map((each) => MarkUser.of(each, id)));
    let { id: doomed } = await users[0]!.createFolder('contested');
    const deletion = await Sql.open(stack.MYSQL_URL);
    try {
      // In about every third round the waiting statements deadlock with each other.
      for (let round = 0; round < 16; round++) {
        await deletion.change('START TRANSACTION');
        await deletion.change('UPDATE collections SET name = NULL WHERE id = ?', [doomed]);
        const creations = Promise.all(
          [...users, ...users].map((user) =>
            user.request<Folder>('POST', '/api/collections', { name: 'contested' }),
          ),
        );
        await underWay(4, 'INSERT INTO collections ');
        await deletion.change('COMMIT');
        const answers = await creations;
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
        doomed = answers.find(({ status }) => status === 200)!.body.id;
      }
    } finally {
      await deletion.close();
    }
  });

  it('renames a folder even when it deadlocks with another transaction', async () => {
    const user = await newUser();
    const { id } = await user.createFolder('old');
    const stranger = await Sql.open(stack.MYSQL_URL);
    try {
      await stranger.change('START TRANSACTION');
      // More changes than the rename makes: in a deadlock, the server rolls back the smaller one.
      const names = Array.from({ length: 20 }, (_, index) => [user.id, `new ${index}`]);
      await stranger.change('INSERT INTO collections (uid, name) VALUES ?', [names]);
      const renaming = user.request('PATCH', `/api/collections/${id}`, { name: 'new 7' });
      await underWay(1, 'UPDATE collections ');
      await stranger.rows('SELECT id FROM collections WHERE id = ? FOR UPDATE', [id]);
      await stranger.change('ROLLBACK');
      expect(await renaming).toMatchObject({ status: 200, body: { name: 'new 7' } });
    } finally {
      await stranger.close();
    }
  });

  it('fails a collect into a deleted folder without failing the others of its batch', async () => {
    const user = await newUser();
    const { id } = await user.createFolder('there');
    const gone = (await user.createFolder('gone')).id;
    await user.request('DELETE', `/api/collections/${gone}`);
    const statuses: number[] = [];
    await atOnce(60, 60, async (index) => {
      const { status } = await user.collect(4_000 + index, index % 3 === 0 ? gone : id);
      statuses[index] = status;
    });
    statuses.forEach((status, index) => expect(status).toBe(index % 3 === 0 ? 404 : 200));
    expect((await user.folders())[0]).toMatchObject({ itemCount: 40 });
  });

  describe('bad input', () => {
    it('hides the folders of other users', async () => {
      const [owner, stranger] = [await newUser(), await newUser()];
      const { id } = await owner.createFolder('mine');
      await owner.collect(80, id);
      const path = `/api/collections/${id}`;
      const missing = [404, 'COLLECTION_NOT_FOUND'];
      expect(await codeOf(stranger, 'PATCH', path, { name: 'yours' })).toEqual(missing);
      expect(await codeOf(stranger, 'DELETE', path)).toEqual(missing);
      expect(await codeOf(stranger, 'GET', `${path}/items`)).toEqual(missing);
      const collection = '/api/interactive/video/81/collection';
      expect(await codeOf(stranger, 'PUT', collection, { collectionId: id })).toEqual(missing);
      expect(collectsOf(await stranger.state(81))).toEqual({ collectCnt: 0, collected: false });
      expect(await stranger.folders()).toEqual([]);
      expect(await owner.folders()).toEqual([{ id, name: 'mine', itemCount: 1 }]);
    });

    it('does not find folders that were deleted or never existed', async () => {
      const user = await newUser();
      const { id } = await user.createFolder('short-lived');
      await user.request('DELETE', `/api/collections/${id}`);
      const missing = [404, 'COLLECTION_NOT_FOUND'];
      for (const each of [id, 999_999_999]) {
        expect(await codeOf(user, 'DELETE', `/api/collections/${each}`)).toEqual(missing);
        expect(await codeOf(user, 'PATCH', `/api/collections/${each}`, { name: 'x' })).toEqual(
          missing,
        );
        expect(await codeOf(user, 'GET', `/api/collections/${each}/items`)).toEqual(missing);
      }
    });

    it('leaves an object where it is when the target folder does not exist', async () => {
      const user = await newUser();
      const { id } = await user.createFolder('here');
      await user.collect(82, id);
      const path = '/api/interactive/video/82/collection';
      expect(await codeOf(user, 'PUT', path, { collectionId: 999_999_999 })).toEqual([
        404,
        'COLLECTION_NOT_FOUND',
      ]);
      expect(await user.itemsOf(id)).toEqual([82]);
      expect(collectsOf(await user.state(82))).toEqual({ collectCnt: 1, collected: true });
    });

    it.each([
      [{ collectionId: 0 }, 'collectionId'],
      [{ collectionId: -1 }, 'collectionId'],
      [{ collectionId: 1.5 }, 'collectionId'],
      [{ collectionId: '1' }, 'collectionId'],
      [{ collectionId: 2 ** 53 }, 'collectionId'],
      [{ collectionId: null }, 'collectionId'],
      [{ folder: 1 }, 'folder'],
    ])('refuses to collect with %j', async (body, field) => {
      const user = await newUser();
      const answer = await user.request<Problem>(
        'PUT',
        '/api/interactive/video/83/collection',
        body,
      );
      expect([answer.status, answer.body.code, answer.body.errors?.[0]?.field]).toEqual([
        400,
        'VALIDATION_FAILED',
        field,
      ]);
      expect(await user.folders()).toEqual([]);
    });

    it.each([
      [{}, 'name'],
      [{ name: '' }, 'name'],
      [{ name: '   ' }, 'name'],
      [{ name: '\u2060\ufeff\u00ad' }, 'name'],
      [{ name: 7 }, 'name'],
      [{ name: null }, 'name'],
      [{ name: 'x'.repeat(65) }, 'name'],
      [{ name: '❤️'.repeat(64) }, 'name'],
      [{ name: 'a\u0000b' }, 'name'],
      [{ name: 'a', extra: 1 }, 'extra'],
    ])('refuses to create a folder with %j', async (body, field) => {
      const user = await newUser();
      const answer = await user.request<Problem>('POST', '/api/collections', body);
      expect([answer.status, answer.body.code, answer.body.errors?.[0]?.field]).toEqual([
        400,
        'VALIDATION_FAILED',
        field,
      ]);
      expect(await user.folders()).toEqual([]);
    });

    it('accepts names of 64 characters of any script', async () => {
      const user = await newUser();
      for (const name of [
        '收藏夹'.repeat(21),
        '😀'.repeat(64),
        '❤️'.repeat(32),
        'É'.normalize('NFD'),
      ])
        expect((await user.createFolder(name)).name).toBe(name.normalize('NFC'));
      expect(await codeOf(user, 'POST', '/api/collections', { name: 'É' })).toEqual([
        409,
        'COLLECTION_NAME_TAKEN',
      ]);
    });

    it.each(['limit=0', 'limit=101', 'cursor=nonsense'])('refuses lists with %s', async (query) => {
      const user = await newUser();
      const { id } = await user.createFolder('any');
      for (const path of ['/api/collections', `/api/collections/${id}/items`]) {
        const answer = await user.request<PageOf<unknown>>('GET', `${path}?${query}`);
        expect(answer.status).toBe(400);
      }
    });
  });

  it('leaves no counter that differs from its records', async () => {
    expect(await driftOf(sql)).toEqual([]);
  });
});
