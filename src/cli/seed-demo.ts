import { type ArticleRead, articleReadTopic, ArticleService } from '../article';
import { CollectionsService, LikesService } from '../interactive';
import { EventPublisher } from '../messaging';
import { Database, Migrator } from '../platform/database';
import { type Command, UsageError } from './command';
import { demoContent, DEMO_TITLES } from './demo-articles';

const AUTHORS = 5;
const READERS = 40;
const HOUR_MS = 3_600_000;

interface SeededArticle {
  readonly id: number;
  /** 0 or 1, as SQL returns it. */
  readonly isFinished: number;
}

/**
 * Fills an empty database with a small demo, through the same services as requests. The numbers
 * depend only on the articles' ranks, so that every demo is the same. An interrupted run is
 * continued by the next one.
 */
export const seedDemo: Command = {
  name: 'seed-demo',
  usage: '',
  summary: 'Writes demo articles with reads, likes and collects, if there are no articles yet',
  async run({ args, app, environment, print, progress }) {
    if (args.length > 0) throw new UsageError('seed-demo takes no arguments');
    await new Migrator(environment.MYSQL_URL).up();
    const context = await app();
    const database = context.get(Database, { strict: false });
    const seeded = await seededArticles(database);
    if (!seeded) {
      print('There are articles already, so nothing was written');
      return 0;
    }
    const articles = context.get(ArticleService, { strict: false });
    const likes = context.get(LikesService, { strict: false });
    const collections = context.get(CollectionsService, { strict: false });
    const events = context.get(EventPublisher, { strict: false });

    const line = progress('articles');
    for (const [rank, title] of DEMO_TITLES.entries()) {
      const { id, isFinished } = seeded[rank] ?? {};
      if (isFinished) continue;
      const author = authorOf(rank);
      const bizId = id ?? (await articles.create(author, { title, content: demoContent(title) }));
      await articles.publish(bizId, author);
      const object = { biz: 'article', bizId };
      const fans = readersOf(rank, 0.5);
      await Promise.all(fans.map((uid) => likes.set(uid, object, true)));
      await Promise.all(readersOf(rank, 0.2).map((uid) => collections.collect(uid, object)));
      await events.publish(articleReadTopic, ...readsOf(rank, bizId));
      await backdate(database, bizId, ageOf(rank));
      line.update(rank + 1, (rank + 1) / DEMO_TITLES.length);
    }
    line.finish(DEMO_TITLES.length);
    print(`Wrote ${DEMO_TITLES.length} articles, read and liked by ${READERS} users`);
    return 0;
  },
};

const authorOf = (rank: number): number => 1 + (rank % AUTHORS);

/**
 * The articles of an interrupted run, by rank; only the last one can be unfinished. Undefined when
 * the demo is complete, or when there are other articles.
 */
async function seededArticles(database: Database): Promise<SeededArticle[] | undefined> {
  // Backdating is the last step, and only it makes the times of the two copies equal.
  const articles = await database.rows<SeededArticle & { authorId: number; title: string }>(
    `SELECT a.id, a.author_id AS authorId, a.title, p.ctime <=> a.ctime AS isFinished
     FROM articles a LEFT JOIN published_articles p ON p.id = a.id ORDER BY a.id LIMIT ?`,
    [DEMO_TITLES.length + 1],
  );
  const isDemo = articles.every(
    ({ authorId, title }, rank) => title === DEMO_TITLES[rank] && authorId === authorOf(rank),
  );
  const isComplete = articles.length === DEMO_TITLES.length && articles.at(-1)?.isFinished;
  return isDemo && !isComplete ? articles : undefined;
}

/** Hours since the article was published; popular articles are not always the newest. */
const ageOf = (rank: number): number => 1 + ((rank * 7) % DEMO_TITLES.length) * 3;

/** The lower the rank, the fewer readers; the best article has `share` of all readers. */
function readersOf(rank: number, share: number): number[] {
  const count = Math.max(1, Math.round((READERS * share) / (1 + rank / 4)));
  return Array.from({ length: count }, (_, i) => 1 + ((rank * 3 + i) % READERS));
}

function readsOf(rank: number, articleId: number): ArticleRead[] {
  const signedIn = readersOf(rank, 1).map((Uid) => ({ Aid: articleId, Uid }));
  const anonymous = readersOf(rank, 1).map(() => ({ Aid: articleId, Uid: 0 }));
  return [...signedIn, ...anonymous];
}

/** By SQL, since the API cannot do it: the demo's articles must not all be published just now. */
async function backdate(database: Database, id: number, hours: number): Promise<void> {
  const time = Date.now() - hours * HOUR_MS;
  // The authors' table is last: its times mark the article as finished.
  for (const table of ['published_articles', 'articles'])
    await database.change(`UPDATE ${table} SET ctime = ?, utime = ? WHERE id = ?`, [
      time,
      time,
      id,
    ]);
}
