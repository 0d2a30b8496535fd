// The time from the commit of a row written by SQL until the live board shows it, through the
// program's own server-sent events, at a steady 50 commits a second.
//   npm run bench -- latency [relay|canal]
import { createConnection } from 'mysql2/promise';
import { row, sleep, startProgram, until } from './support/program.mjs';
import { quantile } from './support/statistics.mjs';

const ENGINES = {
  relay: { MQ_ENGINE: 'streams', CDC_ENGINE: 'relay' },
  canal: { MQ_ENGINE: 'kafka', CDC_ENGINE: 'canal' },
};
const SAMPLES = 1_000;
const PER_SECOND = 50;
const chosen = process.argv.slice(2).filter((name) => name in ENGINES);

async function* eventsOf(url, signal) {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const data = text
        .slice(0, end)
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n');
      if (data) yield JSON.parse(data);
    }
  }
}

async function measure(name) {
  const program = await startProgram({ ...ENGINES[name], RANKING_SIZE: '10' });
  const sql = await createConnection(process.env.MYSQL_URL);
  const abort = new AbortController();
  try {
    await sql.query('DELETE FROM interactives WHERE biz = ?', ['latency']);
    const [{ insertId }] = await sql.query(
      'INSERT INTO interactives (biz, biz_id, like_cnt) VALUES (?, 1, ?)',
      ['latency', 1_000_000_000],
    );
    // Each commit raises the score by one, so that a shown row's score says which commit it is of.
    const committed = new Map();
    const seen = new Map();
    let connected = false;
    const reading = (async () => {
      for await (const board of eventsOf(`${program.url}/api/ranking/likes/stream`, abort.signal)) {
        connected = true;
        const now = performance.now();
        const shown = board.data.find((item) => item.id === insertId);
        if (shown) seen.set(shown.like_cnt, now);
      }
    })().catch((error) => {
      if (!abort.signal.aborted) throw error;
    });
    await until('the stream', () => connected);
    await until('the first row', () => seen.has(1_000_000_000));
    for (let i = 1; i <= SAMPLES; i++) {
      const due = performance.now() + 1_000 / PER_SECOND;
      await sql.query('UPDATE interactives SET like_cnt = ? WHERE id = ?', [
        1_000_000_000 + i,
        insertId,
      ]);
      committed.set(1_000_000_000 + i, performance.now());
      await sleep(Math.max(0, due - performance.now()));
    }
    await until('the last row', () => seen.has(1_000_000_000 + SAMPLES));
    abort.abort();
    await reading;
    // A state that the stream skipped, because a newer one was there, counts with that newer one.
    const shown = [...seen.keys()].sort((a, b) => a - b);
    return [...committed].map(
      ([score, at]) => seen.get(shown.find((value) => value >= score)) - at,
    );
  } finally {
    abort.abort();
    await sql.end();
    await program.stop();
  }
}

row('commit to board', 'p50 ms', 'p99 ms', 'max ms', 'samples');
for (const name of chosen.length > 0 ? chosen : Object.keys(ENGINES)) {
  const latencies = await measure(name);
  row(
    name,
    quantile(latencies, 0.5).toFixed(1),
    quantile(latencies, 0.99).toFixed(1),
    Math.max(...latencies).toFixed(1),
    latencies.length,
  );
}
