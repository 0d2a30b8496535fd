import { Redis } from 'ioredis';
import type { RowDataPacket } from 'mysql2/promise';
import {
  asRoot,
  type Engine,
  engines,
  eventually,
  Program,
  servicePid,
  Sql,
  streamsWithRelay,
} from './support';

interface Readiness {
  status: string;
  checks: Record<string, { status: string; error?: string }>;
}

interface Board {
  data: { biz_id: number; like_cnt: number }[];
}

/** No counter that is read and no board may be wrong for longer, whatever change capture does. */
const BOUND = { timeoutMs: 30_000 };

interface Halt {
  readonly name: string;
  readonly engine: Engine;
  /** Stops change capture. @returns what lets it go on */
  run(): Promise<() => Promise<unknown>>;
}

describe('change capture that stands', () => {
  let env: Record<string, string>;
  let sql: Sql;
  let redis: Redis;
  let worker: Program;
  let api: Program;

  const start = (ROLE: string): Promise<Program> =>
    Program.start({ name: ROLE, env: { ...env, ROLE } });

  const halts: Halt[] = [
    {
      name: 'since the relay may not read the binlog',
      engine: streamsWithRelay,
      run: async () => {
        await asRoot(sql, async (root) => {
          await root.query("REVOKE REPLICATION SLAVE ON *.* FROM 'webook'@'%'");
          const [dumps] = await root.query<RowDataPacket[]>(
            "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND USER = 'webook'",
          );
          for (const { id } of dumps) await root.query(`KILL ${id}`);
        });
        return () =>
          asRoot(sql, (root) => root.query("GRANT REPLICATION SLAVE ON *.* TO 'webook'@'%'"));
      },
    },
    {
      name: 'since no worker runs',
      engine: streamsWithRelay,
      run: async () => {
        await worker.kill();
        return async () => (worker = await start('worker'));
      },
    },
    {
      name: 'since Canal hangs',
      engine: engines[1]!,
      run: async () => {
        const pid = await servicePid(process.env.WEBOOK_TEST_PROFILE ?? 'test', 'canal');
        process.kill(pid, 'SIGSTOP');
        return async () => process.kill(pid, 'SIGCONT');
      },
    },
  ];

  afterEach(async () => {
    await Promise.all([worker?.stop(), api?.stop()]);
    await sql?.close();
    redis?.disconnect();
  });

  it.each(halts)(
    '$name: answers are right within 30 s, and it is named',
    async ({ engine, run }) => {
      env = await engine.prepare('capture');
      sql = await Sql.open(env.MYSQL_URL!);
      redis = new Redis(env.REDIS_URL!);
      worker = await start('worker');
      api = await start('api');
      const likes = async (bizId: number): Promise<number> =>
        (await api.get<{ likeCnt: number }>(`/api/interactive/et/${bizId}`)).body.likeCnt;
      const best = async (): Promise<[number, number] | undefined> => {
        const [row] = (await api.get<Board>('/api/ranking/likes?limit=1')).body.data;
        return row && [row.biz_id, row.like_cnt];
      };
      const set = (bizId: number, count: number): Promise<unknown> =>
        sql.change('UPDATE interactives SET like_cnt = ? WHERE biz_id = ?', [count, bizId]);
      const readiness = async (): Promise<Readiness> => (await api.get<Readiness>('/readyz')).body;
      const gapLoads = async (): Promise<number> => {
        const { body } = await worker.get<string>('/metrics');
        return Number(/loads_total\{board="likes",reason="gap"\} (\d+)/.exec(body)?.[1] ?? 0);
      };

      await sql.change(
        "INSERT INTO interactives (biz, biz_id, like_cnt) VALUES ('et', 1, 10), ('et', 2, 20)",
      );
      await eventually(async () => expect(await best()).toEqual([2, 20]));
      await eventually(async () => expect([await likes(1), await likes(2)]).toEqual([10, 20]));
      // Cached for long.
      await set(1, 11);
      await eventually(async () => expect(await likes(1)).toBe(11));
      await eventually(async () =>
        expect(await redis.pttl('interactive:{et:1}')).toBeGreaterThan(60_000),
      );
      await eventually(async () => expect((await readiness()).status).toBe('ready'));

      const goOn = await run();
      try {
        await set(1, 500);
        await eventually(
          async () => expect([await likes(1), await best()]).toEqual([500, [1, 500]]),
          BOUND,
        );
        const { status, checks } = await eventually(async () => {
          const found = await readiness();
          expect(found.checks.capture).toMatchObject({ status: 'down' });
          return found;
        }, BOUND);
        // It still serves.
        expect(status).toBe('degraded');
        expect(checks.capture!.error).toMatch(
          /group (ranking|interactive-cache) has seen no change since \d{4}-.*partition \d of webook_binlog/,
        );
        await set(2, 600);
        await eventually(
          async () => expect([await likes(2), await best()]).toEqual([600, [2, 600]]),
          BOUND,
        );
      } finally {
        await goOn();
      }

      await eventually(async () => expect((await readiness()).status).toBe('ready'));
      await set(1, 700);
      await eventually(async () => expect([await likes(1), await best()]).toEqual([700, [1, 700]]));
      await eventually(async () => {
        await likes(1);
        expect(await redis.pttl('interactive:{et:1}')).toBeGreaterThan(60_000);
      });
      // A worker that was there while it stood compares what may have been missed.
      if (worker.output.includes('Change capture stands'))
        await eventually(async () => expect(await gapLoads()).toBeGreaterThan(0));
    },
  );
});
