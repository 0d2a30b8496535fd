// npm run demo [-- --seconds N]: simulates readers on a running webook, through its public API.
import { parseArgs } from 'node:util';
import { sleep } from './stack/shell.mjs';
import { exitWith, StackError } from './stack/stack-error.mjs';

const USERS = 40;
const WORKERS = 8;
const base = (process.env.WEBOOK_URL || `http://127.0.0.1:${process.env.PORT || 3000}`).replace(
  /\/$/,
  '',
);

async function call(method, path, { token, body } = {}) {
  const response = await fetch(`${base}/api${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}

async function signIn() {
  try {
    await fetch(`${base}/healthz`);
  } catch {
    throw new StackError(
      `No webook answers at ${base}: start it with npm start, or set WEBOOK_URL.`,
    );
  }
  const users = [];
  for (let id = 1; id <= USERS; id++) {
    const { token } = await call('POST', '/auth/dev-token', { body: { userId: id } }).catch(() => {
      throw new StackError(
        `${base} gives no development token: the demo needs a webook that runs without NODE_ENV=production.`,
      );
    });
    users.push(token);
  }
  return users;
}

/** The published articles on the boards. When there are fewer than 12, the demo writes more. */
async function findArticles(users) {
  const boards = await Promise.all(
    ['likes', 'reads'].map((board) =>
      call('GET', `/ranking/${board}?limit=50`).catch(() => ({ data: [] })),
    ),
  );
  const ids = new Set(
    boards.flatMap(({ data }) =>
      data.filter((row) => row.biz === 'article').map((row) => row.biz_id),
    ),
  );
  const reachable = [];
  for (const id of ids) {
    const found = await call('GET', `/articles/${id}/published`).catch(() => undefined);
    if (found) reachable.push(id);
  }
  for (let i = reachable.length; i < 12; i++) {
    const token = users[i % users.length];
    const { id } = await call('POST', '/articles', {
      token,
      body: { title: `Demo article ${i + 1}`, content: 'Written by npm run demo.' },
    });
    await call('POST', `/articles/${id}/publish`, { token });
    reachable.push(id);
  }
  return reachable;
}

/** A few articles get most of the traffic. Which ones changes slowly, so that ranks change. */
function pick(articles, tick) {
  const skewed = Math.floor(articles.length * Math.random() ** 2.5);
  return articles[(skewed + Math.floor(tick / 400)) % articles.length];
}

const chance = (share) => Math.random() < share;

/** One reader's next action: mostly a read, sometimes a like or a collect, or the undoing of one. */
async function act(token, article) {
  const path = `/interactive/article/${article}`;
  if (chance(0.7)) {
    await call('POST', `${path}/reads`, { token });
    return 'reads';
  }
  if (chance(0.7)) {
    await call(chance(0.7) ? 'PUT' : 'DELETE', `${path}/like`, { token });
    return 'likes';
  }
  if (chance(0.7)) await call('PUT', `${path}/collection`, { token, body: {} });
  else await call('DELETE', `${path}/collection`, { token });
  return 'collects';
}

/** Prints the counts: on a terminal one line that is updated, in a log a new line every 5 seconds. */
function showProgress(done) {
  const start = Date.now();
  const { isTTY } = process.stdout;
  const show = (end) => {
    const { reads, likes, collects, errors } = done;
    const rate = Math.round((reads + likes + collects) / ((Date.now() - start) / 1_000));
    const line = `${reads} reads, ${likes} likes, ${collects} collects, ${errors} errors, ${rate}/s`;
    process.stdout.write(`${isTTY ? '\r\x1b[K' : ''}${line}${end}`);
  };
  const timer = setInterval(() => show(isTTY ? '' : '\n'), isTTY ? 500 : 5_000);
  return () => {
    clearInterval(timer);
    show('\n');
  };
}

/** Runs the readers until `isOver`. Returns how often each action was done. */
async function play(users, articles, isOver) {
  const done = { reads: 0, likes: 0, collects: 0, errors: 0 };
  const endProgress = showProgress(done);
  let tick = 0;
  const reader = async () => {
    while (!isOver()) {
      const token = users[Math.floor(Math.random() * users.length)];
      const what = await act(token, pick(articles, tick++)).catch(() => 'errors');
      done[what]++;
      await sleep(10 + Math.random() * 30);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, reader));
  endProgress();
  return done;
}

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  if (!(seconds > 0))
    throw new StackError('--seconds needs a number above 0, e.g. npm run demo -- --seconds 30.');
  const users = await signIn();
  const articles = await findArticles(users);
  console.log(
    `simulating ${USERS} readers on ${articles.length} articles; watch ${base}/ (stop with Ctrl-C)`,
  );
  const end = Date.now() + seconds * 1_000;
  let isInterrupted = false;
  process.on('SIGINT', () => (isInterrupted = true));
  const { reads, errors } = await play(users, articles, () => isInterrupted || Date.now() > end);
  process.exit(errors > 0 && reads === 0 ? 1 : 0);
}

main().catch(exitWith);
