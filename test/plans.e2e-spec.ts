import { hotStatements as articles } from '../src/article/article.repository';
import { hotStatements as published } from '../src/article/published-article.repository';
import { hotStatements as history } from '../src/history/history.repository';
import { hotStatements as collections } from '../src/interactive/collections.repository';
import { hotStatements as drift } from '../src/interactive/drift.repository';
import { hotStatements as counters } from '../src/interactive/interactive.repository';
import { hotStatements as likes } from '../src/interactive/likes.repository';
import { hotStatements as marks } from '../src/interactive/mark.statements';
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

const statements = [
  ...articles,
  ...published,
  ...history,
  ...counters,
  ...marks,
  ...likes,
  ...collections,
  ...drift,
];

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
    await sql.rows(`ANALYZE TABLE articles, published_articles, reading_history, interactives, collections, likes,
       collection_items`);
  });

  afterAll(async () => {
    await Promise.all([program?.stop(), sql?.close()]);
  });

  it('use the index that was made for each, and sort nothing', async () => {
    const plans: Record<string, string> = {};
    for (const { name, sql: text, params } of statements)
      plans[name] = planOf(await sql.rows<PlanRow>(`EXPLAIN ${text}`, [...params]));
    expect(plans).toMatchInlineSnapshot(`
     {
       "author's copy": "articles by PRIMARY",
       "collected objects without counters": "i by uq_interactives_object covered, collection_items by idx_collection_items_object covered, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters beside totals, of objects": "i by uq_interactives_object, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters beside totals, scan": "i by PRIMARY, t by idx_collection_items_object covered, t by idx_likes_object covered",
       "counters of objects": "interactives by uq_interactives_object",
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
       "items of a folder, first page": "collection_items by idx_collection_items_folder covered",
       "items of a folder, next page": "collection_items by idx_collection_items_folder covered",
       "liked objects without counters": "i by uq_interactives_object covered, likes by idx_likes_object covered, t by idx_collection_items_object covered, t by idx_likes_object covered",
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
       "which articles are published": "published_articles by PRIMARY",
     }
    `);
  });
});
