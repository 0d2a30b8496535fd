import { execFile } from 'node:child_process';
import { join } from 'node:path';
import {
  below,
  driftOf,
  type Engine,
  engines,
  eventually,
  MarkUser,
  type ObjectState,
  Program,
  Sql,
} from './support';

const USERS = 200;
const OPERATIONS = 50;
const OBJECTS = Array.from({ length: 20 }, (_, index) => index + 1);
const CONNECTIONS = 64;
const KILLS = 3;

type Operation =
  | { name: 'like' | 'unlike' | 'uncollect'; bizId: number }
  | { name: 'collect'; bizId: number; folder: number };

/** The marks that one user should have. */
class Model {
  readonly likes = new Set<number>();
  /** Folder (its index among the user's folders) by object. */
  readonly collects = new Map<number, number>();

  apply(operation: Operation): void {
    const { bizId } = operation;
    if (operation.name === 'like') this.likes.add(bizId);
    else if (operation.name === 'unlike') this.likes.delete(bizId);
    else if (operation.name === 'collect') this.collects.set(bizId, operation.folder);
    else this.collects.delete(bizId);
  }

  marksOf(bizId: number): { liked: boolean; collected: boolean } {
    return { liked: this.likes.has(bizId), collected: this.collects.has(bizId) };
  }
}

/** A user who remembers their operations, and checks the state when one got no answer. */
class Actor {
  readonly model = new Model();
  private user!: MarkUser;
  private folders: number[] = [];

  constructor(private readonly id: number) {}

  async use(program: Program): Promise<void> {
    this.user = await MarkUser.of(program, this.id);
  }

  async createFolders(): Promise<void> {
    for (const name of ['first', 'second'])
      this.folders.push((await this.user.createFolder(name)).id);
  }

  next(): Operation {
    const bizId = OBJECTS[below(OBJECTS.length)]!;
    const names = ['like', 'unlike', 'collect', 'uncollect'] as const;
    const name = names[below(names.length)]!;
    return name === 'collect' ? { name, bizId, folder: below(2) } : { name, bizId };
  }

  /** @throws when the program does not answer */
  async perform(operation: Operation): Promise<void> {
    const { bizId } = operation;
    const { status, body } =
      operation.name === 'collect'
        ? await this.user.collect(bizId, this.folders[operation.folder])
        : await this.user[operation.name](bizId);
    expect({ operation, status, body }).toMatchObject({ status: 200 });
    this.model.apply(operation);
    expect({ operation, ...marks(body) }).toEqual({ operation, ...this.model.marksOf(bizId) });
  }

  /** Finds out whether an operation without an answer was done: completely or not at all. */
  async resolve(operation: Operation): Promise<void> {
    const { bizId } = operation;
    const before = this.model.marksOf(bizId);
    const folderBefore = this.model.collects.get(bizId);
    const seen = marks(await this.user.state(bizId));
    const folders = await this.contents();
    const folder = folders.findIndex((items) => items.includes(bizId));
    expect(seen.collected).toBe(folder >= 0);
    const stayed = { ...before, folder: folderBefore ?? -1 };
    this.model.apply(operation);
    const happened = { ...this.model.marksOf(bizId), folder: this.model.collects.get(bizId) ?? -1 };
    expect([stayed, happened]).toContainEqual({ ...seen, folder });
    if (seen.liked) this.model.likes.add(bizId);
    else this.model.likes.delete(bizId);
    if (folder >= 0) this.model.collects.set(bizId, folder);
    else this.model.collects.delete(bizId);
  }

  /** The items of each of the two folders. */
  contents(): Promise<number[][]> {
    return Promise.all(this.folders.map((folder) => this.user.itemsOf(folder)));
  }

  states(): Promise<ObjectState[]> {
    return this.user.states(OBJECTS);
  }
}

/** How Node's fetch reports that there was no answer, or only part of one. */
const isConnectionLost = (error: unknown): boolean =>
  /^(fetch failed|terminated)$/.test(String((error as Error).message));

const marks = ({ liked, collected }: ObjectState) => ({ liked, collected });

/** The program, which is killed and restarted while users go on. */
class MortalProgram {
  private current!: Promise<Program>;

  constructor(private readonly env: Record<string, string>) {}

  start(): Promise<Program> {
    this.current = Program.start({ env: this.env });
    return this.current;
  }

  /** The running one, as soon as it is ready. */
  get(): Promise<Program> {
    return this.current;
  }

  async killAndStart(): Promise<void> {
    const running = await this.current;
    this.current = running.kill().then(() => Program.start({ env: this.env }));
    await this.current;
  }
}

/** Runs `verify interactive` of the built program. @returns its exit code and output */
function verify(env: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(__dirname, '../dist/src/cli.js'), 'verify', 'interactive'],
      { env: { ...process.env, ...env, NODE_ENV: 'test' } },
      (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

// Canal's two message forms make no difference to likes and collects.
const chosen = engines.filter(({ name }) => !name.endsWith('flat'));

describe.each(chosen)('200 users against a model on $name', (engine: Engine) => {
  let env: Record<string, string>;
  let program: MortalProgram;
  let sql: Sql;
  const actors = Array.from({ length: USERS }, (_, index) => new Actor(index + 1));

  beforeAll(async () => {
    env = await engine.prepare('marks_model');
    program = new MortalProgram(env);
    const running = await program.start();
    sql = await Sql.open(env.MYSQL_URL!);
    for (const actor of actors) {
      await actor.use(running);
      await actor.createFolders();
    }
  });

  afterAll(async () => {
    await Promise.all([program?.get().then((running) => running.stop()), sql?.close()]);
  });

  it('gives every answer that the model gives, although it is killed three times', async () => {
    let done = 0;
    let unanswered = 0;
    let kills = 0;
    const restarts: Promise<void>[] = [];
    const resolve = async (actor: Actor, operation: Operation): Promise<void> => {
      try {
        await actor.use(await program.get());
        await actor.resolve(operation);
      } catch (error) {
        // The program was killed again before it answered.
        if (!isConnectionLost(error)) throw error;
        await resolve(actor, operation);
      }
    };
    const step = async (actor: Actor): Promise<void> => {
      const operation = actor.next();
      try {
        await actor.use(await program.get());
        await actor.perform(operation);
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        unanswered++;
        await resolve(actor, operation);
      }
      done++;
      if (kills < KILLS && done >= ((kills + 1) * USERS * OPERATIONS) / (KILLS + 1)) {
        kills++;
        restarts.push(program.killAndStart());
      }
    };
    // Each connection has its own users, so that the operations of one user stay in order.
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, connection) => {
        const own = actors.filter((_actor, index) => index % CONNECTIONS === connection);
        for (let round = 0; round < OPERATIONS; round++) for (const actor of own) await step(actor);
      }),
    );
    await Promise.all(restarts);
    expect(kills).toBe(KILLS);
    expect(unanswered).toBeGreaterThan(0);
    expect(done).toBe(USERS * OPERATIONS);
  }, 300_000);

  it('holds the rows and counters that the model holds', async () => {
    const expectedLikes = actors.flatMap((actor, index) =>
      [...actor.model.likes].map((bizId) => `${index + 1}:${bizId}`),
    );
    const likes = await sql.rows<{ uid: number; biz_id: number }>(
      'SELECT uid, biz_id FROM likes WHERE status = 1',
    );
    expect(likes.map(({ uid, biz_id }) => `${uid}:${biz_id}`).sort()).toEqual(expectedLikes.sort());
    for (const actor of actors) {
      const expected = [0, 1].map((folder) =>
        [...actor.model.collects].filter(([, at]) => at === folder).map(([bizId]) => bizId),
      );
      const contents = await actor.contents();
      expect(contents.map((items) => items.sort())).toEqual(expected.map((items) => items.sort()));
    }
    expect(await driftOf(sql)).toEqual([]);
  });

  it('shows every user the flags at once and the counters soon', async () => {
    const counts = OBJECTS.map((bizId) => ({
      bizId,
      likeCnt: actors.filter(({ model }) => model.likes.has(bizId)).length,
      collectCnt: actors.filter(({ model }) => model.collects.has(bizId)).length,
    }));
    for (const actor of actors) {
      const states = await actor.states();
      expect(states.map((state) => ({ bizId: state.bizId, ...marks(state) }))).toEqual(
        OBJECTS.map((bizId) => ({ bizId, ...actor.model.marksOf(bizId) })),
      );
    }
    // Changes that a killed program did not write to the cache arrive through change capture.
    await eventually(async () => {
      const states = await actors[0]!.states();
      expect(
        states.map(({ bizId, likeCnt, collectCnt }) => ({ bizId, likeCnt, collectCnt })),
      ).toEqual(counts);
    });
  });

  it('passes its own verification', async () => {
    await eventually(async () => {
      const { code, output } = await verify(env);
      expect({ code, output }).toEqual({ code: 0, output });
    });
  });
});
