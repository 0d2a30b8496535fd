import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { eventually, Program, Sql, streamsWithRelay } from './support';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe('the pages, in a real browser', () => {
  let program: Program;
  let sql: Sql;
  let browser: BrowserContext;
  let page: Page;
  let profile: string;
  const faults: string[] = [];
  const streams: string[] = [];

  const insert = (id: number, likes: number): Promise<unknown> =>
    sql.change("INSERT INTO interactives (id, biz, biz_id, like_cnt) VALUES (?, 'et', ?, ?)", [
      id,
      id,
      likes,
    ]);

  /** Ids with scores, as they stand on the page. */
  const shown = (board: string): Promise<string[]> =>
    page
      .locator(`[data-board="${board}"] li`)
      .evaluateAll((rows) =>
        rows.map(
          (row) => `${row.getAttribute('data-id')}:${row.querySelector('.score')?.textContent}`,
        ),
      );

  beforeAll(async () => {
    const env = await streamsWithRelay.prepare('live_page');
    program = await Program.start({ env: { ...env, RANKING_SIZE: '5' } });
    sql = await Sql.open(env.MYSQL_URL!);
    for (const [id, likes] of [
      [1, 10],
      [2, 20],
      [3, 30],
    ] as const)
      await insert(id, likes);
    profile = await mkdtemp(join(tmpdir(), 'webook-browser-'));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: FLAGS,
    });
    page = await browser.newPage();
    page.on('request', (request) => {
      if (request.url().includes('/stream')) streams.push(request.url());
    });
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await rm(profile, { recursive: true, force: true });
    await sql?.close();
    await program?.stop();
  }, 60_000);

  it('shows the boards, and moves their rows as the table changes', async () => {
    await page.goto(program.url);
    await eventually(async () => expect(await shown('likes')).toEqual(['3:30', '2:20', '1:10']));
    expect(await page.locator('section[data-board]').count()).toBe(4);
    // The same element moves, so that it can be seen moving.
    const row = await page.locator('[data-board="likes"] li[data-id="1"]').elementHandle();
    await sql.change('UPDATE interactives SET like_cnt = 1040 WHERE id = 1');
    await eventually(async () => expect(await shown('likes')).toEqual(['1:1,040', '3:30', '2:20']));
    expect(await row?.evaluate((element) => element.querySelector('.rank')?.textContent)).toBe('1');
    await sql.change('DELETE FROM interactives WHERE id = 3');
    await insert(4, 25);
    await eventually(async () => expect(await shown('likes')).toEqual(['1:1,040', '4:25', '2:20']));
  });

  it('likes by a click, which moves the row for everybody', async () => {
    await page.locator('[data-board="likes"] li[data-id="2"] .like').click();
    await eventually(async () => expect(await shown('likes')).toContain('2:21'));
    const [row] = await sql.rows<{ n: number }>(
      'SELECT like_cnt AS n FROM interactives WHERE id = 2',
    );
    expect(row?.n).toBe(21);
  });

  it('needs one connection for all boards, and says that it is live', async () => {
    expect(streams).toEqual([`${program.url}/api/ranking/stream`]);
    await page.locator('#connection[data-state="live"]').waitFor();
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('changes between light and dark and remembers it', async () => {
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await background();
    await page.locator('#theme').click();
    const after = await background();
    expect(after).not.toBe(before);
    await page.reload();
    expect(await background()).toBe(after);
  });

  it('is linked with a Swagger UI whose calls work', async () => {
    await page.locator('nav a[href="/docs"]').click();
    const operation = page.locator('.opblock', {
      has: page.locator('[data-path="/api/ranking"]'),
    });
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('.execute').click();
    const answer = operation.locator('.live-responses-table');
    await answer.waitFor();
    expect(await answer.locator('.response-col_status').last().innerText()).toContain('200');
    expect(await answer.innerText()).toContain('collect_cnt');
  });

  it('reports no fault in the console', () => {
    expect(faults).toEqual([]);
  });
});
