// npm run demo [-- --seconds N]: plays readers on a running webook through its public API.
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
        `${base} hands out no development token: the demo plays on a webook that is not in production.`,
      );
    });
    users.push(token);
  }
  return users;
}

/** The articles on the boards, or a few of the demo's own where there are none yet. */
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

/** Few articles get most of the attention, and which ones drifts with time, so that ranks change. */
function pick(articles, tick) {
  const skewed = Math.floor(articles.length * Math.random() ** 2.5);
  return articles[(skewed + Math.floor(tick / 400)) % articles.length];
}

async function main() {
  const { values } = parseArgs({ options: { seconds: { type: 'string' } } });
  const seconds = values.seconds === undefined ? Infinity : Number(values.seconds);
  if (!(seconds > 0)) throw new StackError('--seconds needs a number above 0, e.g. --seconds 30');
  const users = await signIn();
  const articles = await findArticles(users);
  console.log(
    `playing ${USERS} readers on ${articles.length} articles, watch ${base}/ (Ctrl-C ends it)`,
  );

  const start = Date.now();
  const done = { reads: 0, likes: 0, collects: 0, errors: 0 };
  let running = true;
  process.on('SIGINT', () => (running = false));
  const act = async (tick) => {
    const token = users[Math.floor(Math.random() * users.length)];
    const path = `/interactive/article/${pick(articles, tick)}`;
    const dice = Math.random();
    if (dice < 0.7) {
      await call('POST', `${path}/reads`, { token });
      done.reads++;
    } else if (dice < 0.92) {
      await call(dice < 0.85 ? 'PUT' : 'DELETE', `${path}/like`, { token });
      done.likes++;
    } else {
      await call(dice < 0.98 ? 'PUT' : 'DELETE', `${path}/collection`, {
        token,
        body: dice < 0.98 ? {} : undefined,
      });
      done.collects++;
    }
  };
  let tick = 0;
  const worker = async () => {
    while (running && Date.now() - start < seconds * 1_000) {
      await act(tick++).catch(() => done.errors++);
      await sleep(10 + Math.random() * 30);
    }
  };
  const { isTTY } = process.stdout;
  const show = (end) => {
    const { reads, likes, collects, errors } = done;
    const rate = Math.round((reads + likes + collects) / ((Date.now() - start) / 1_000));
    const line = `${reads} reads, ${likes} likes, ${collects} collects, ${errors} errors, ${rate}/s`;
    process.stdout.write(`${isTTY ? '\r\x1b[K' : ''}${line}${end}`);
  };
  // One line that changes on a terminal, a line now and then in a log.
  const progress = setInterval(() => show(isTTY ? '' : '\n'), isTTY ? 500 : 5_000);
  await Promise.all(Array.from({ length: WORKERS }, worker));
  clearInterval(progress);
  show('\n');
  process.exit(done.errors > 0 && done.reads === 0 ? 1 : 0);
}

main().catch(exitWith);
