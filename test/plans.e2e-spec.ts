import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HotStatement } from '../src/platform/database';
import { isolatedStack, Program, Sql } from './support';

interface PlanRow {
  table: string | null;
  key: string | null;
  Extra: string | null;
}

/** The index that each table is read by; "covered" where the rows themselves are not touched. */
function planOf(rows: readonly PlanRow[]): string {
  return rows
    .filter(({ table }) => table !== null && !table.startsWith('<'))
    .map(({ table, key, Extra }) => {
      const covered = /Using index(?! condition)/.test(Extra ?? '') ? ' covered' : '';
      const sorted = Extra?.includes('filesort') ? ' SORTED' : '';
      return `${table} by ${key}${covered}${sorted}`;
    })
    .join(', ');
}

const source = join(__dirname, '../src');
const SQL = /[`']\s*(SELECT|INSERT|UPDATE|DELETE)\s/;

/** Files whose statements run once, at boot, on an operator's command, or on a table of a few rows. */
const NOT_HOT = [
  'cdc/binlog/binlog-server.ts',
  'cdc/binlog/binlog-stream.ts',
  'cdc/heartbeat/heartbeat.repository.ts',
  'cdc/relay/cdc-positions.ts',
  'cdc/relay/relay-lock.ts',
  'cli/seed-demo.ts',
  'platform/database/database.ts',
  'platform/database/migrator.ts',
  'platform/database/named-lock.ts',
  'platform/database/table-scan.ts',
];

/** The files that contain SQL. */
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .filter((file) => SQL.test(readFileSync(join(source, file), 'utf8')))
  .sort();

const statementsIn = (file: string): readonly HotStatement[] =>
  jest.requireActual<{ hotStatements?: readonly HotStatement[] }>(join(source, file))
    .hotStatements ?? [];

it('every file with SQL names its hot statements', () => {
  const hot = files.filter((file) => !NOT_HOT.includes(file));
  expect(hot.filter((file) => statementsIn(file).length === 0)).toEqual([]);
  expect(NOT_HOT.filter((file) => !files.includes(file))).toEqual([]);
});

describe('plans of the hot statements', () => {
  let program: Program;
  let sql: Sql;

  beforeAll(async () => {
    const env = { ...(await isolatedStack('plans')) };
    program = await Program.start({ env });
    sql = await Sql.open(env.MYSQL_URL);
    // Enough of everything that a plan means something.
    const objects = Array.from({ length: 1_000 }, (_, index) => index + 1);
    await sql.change('INSERT INTO interactives (biz, biz_id, like_cnt) VALUES ?', [
      objects.map((id) => ['article', id, 1]),
    ]);
    for (const table of ['articles', 'published_articles'])
      await sql.change(`INSERT INTO ${table} (id, author_id, title, content, status) VALUES ?`, [
        objects.map((id) => [id, 1 + (id % 10), 'Title', 'Content', 2]),
      ]);
    for (let uid = 1; uid <= 10; uid++) {
      await sql.change('INSERT INTO reading_history (uid, biz, biz_id, read_at) VALUES ?', [
        objects.map((id) => [uid, 'article', id, id]),
      ]);
      await sql.change('INSERT INTO collections (id, uid, name, default_of) VALUES (?, ?, ?, ?)', [
        uid,
        uid,
        'Default',
        uid,
      ]);
      await sql.change('INSERT INTO likes (uid, biz, biz_id, status, utime) VALUES ?', [
        objects.map((id) => [uid, 'article', id, 1 + (id % 2), id]),
      ]);
      await sql.change(
        'INSERT INTO collection_items (uid, biz, biz_id, collection_id, status, utime) VALUES ?',
        [objects.map((id) => [uid, 'article', id, uid, 1 + (id % 2), id])],
      );
    }
    await sql.change(
      'INSERT INTO consumer_offsets (consumer_group, topic, partition_no, log_id, next_offset) VALUES ?',
      [
        ['article_read_event', ...objects].map((topic) => [
          'interactive',
          String(topic),
          0,
          'streams:log',
          1,
        ]),
      ],
    );
    await sql.rows(`ANALYZE TABLE articles, published_articles, reading_history, interactives, collections, likes,
       collection_items, consumer_offsets`);
  });

  afterAll(async () => {
    await Promise.all([program?.stop(), sql?.close()]);
  });

  it('use the index that was made for each; only the hot board, which is scheduled, sorts', async () => {
    const plans: Record<string, string> = {};
    for (const { name, sql: text, params } of files.flatMap(statementsIn))
      plans[name] = planOf(await sql.rows<PlanRow>(`EXPLAIN ${text}`, [...params]));
    expect(plans).toMatchInlineSnapshot(`
     {
       "author's copy": "articles by PRIMARY",
       "board by collects": "interactives by idx_interactives_collects",
       "board by likes": "interactives by idx_interactives_likes",
       "board by reads": "interactives by idx_interactives_reads",
       "collected objects without counters": "i by uq_interactives_object covered, collection_items by idx_collection_items_object covered, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters beside totals, of objects": "i by uq_interactives_object, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters beside totals, scan": "i by PRIMARY, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters of objects": "interactives by uq_interactives_object",
       "current rows of a board": "interactives by PRIMARY",
       "default folder": "collections by uq_collections_default covered",
       "folders being deleted": "collections by uq_collections_name covered",
       "forget a reading": "reading_history by PRIMARY",
       "forget many readings": "reading_history by PRIMARY",
       "group commit: counter ids": "interactives by uq_interactives_object covered",
       "group commit: lock collects": "collection_items by PRIMARY",
       "group commit: lock folders": "collections by PRIMARY",
       "group commit: lock likes": "likes by PRIMARY",
       "group commit: read counters": "interactives by uq_interactives_object",
       "held locks: collects": "collection_items by PRIMARY covered",
       "held locks: counters": "interactives by uq_interactives_object covered",
       "held locks: folders": "collections by PRIMARY",
       "held locks: likes": "likes by PRIMARY covered",
       "hot board": "p by idx_published_articles_recent covered SORTED, i by uq_interactives_object",
       "items of a folder, first page": "collection_items by idx_collection_items_folder covered",
       "items of a folder, next page": "collection_items by idx_collection_items_folder covered",
       "liked objects without counters": "i by uq_interactives_object covered, likes by idx_likes_object covered, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "next offset of a partition": "consumer_offsets by PRIMARY",
       "offset reached in another log": "consumer_offsets by PRIMARY",
       "one folder": "c by PRIMARY, i by idx_collection_items_folder covered",
       "own articles, first page": "articles by idx_articles_author",
       "own articles, next page": "articles by idx_articles_author",
       "own folders with their item counts": "c by idx_collections_owner, i by idx_collection_items_folder covered",
       "own likes of one biz, first page": "likes by idx_likes_newest_of_biz covered",
       "own likes of one biz, next page": "likes by idx_likes_newest_of_biz covered",
       "own likes, first page": "likes by idx_likes_newest covered",
       "own likes, next page": "likes by idx_likes_newest covered",
       "own marks of objects": "likes by PRIMARY, collection_items by PRIMARY",
       "own readings, first page": "reading_history by idx_reading_history_newest covered",
       "own readings, next page": "reading_history by idx_reading_history_newest covered",
       "published article": "published_articles by PRIMARY",
       "scan of the counters": "interactives by PRIMARY",
       "unfinished deletions": "history_deletions by PRIMARY",
       "which articles are published": "published_articles by PRIMARY",
     }
    `);
  });
});
