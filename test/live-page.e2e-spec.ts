import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { isolatedStack, Program, Sql, type StackEnvironment } from './support';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe('what a person sees in a browser', () => {
  let stack: StackEnvironment;
  let program: Program;
  let sql: Sql;
  let profile: string;
  let browser: BrowserContext;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    stack = await isolatedStack('live_page');
    program = await Program.start({ env: { ...stack } });
    sql = await Sql.open(stack.MYSQL_URL);
    for (const [bizId, likes] of [
      [1, 30],
      [2, 20],
      [3, 10],
    ])
      await sql.change('INSERT INTO interactives (biz, biz_id, like_cnt) VALUES (?, ?, ?)', [
        'podcast',
        bizId,
        likes,
      ]);
    profile = mkdtempSync(join(tmpdir(), 'webook-chromium-'));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
    });
  }, 120_000);

  beforeEach(async () => {
    page = await browser.newPage();
    faults.length = 0;
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
  });

  afterEach(async () => {
    await page.close();
    expect(faults).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    if (profile) rmSync(profile, { recursive: true, force: true });
    await sql?.close();
    await program?.stop();
  });

  /** Waits until the page shows these texts, each after the one before. */
  const showsInOrder = (texts: readonly string[]): Promise<unknown> =>
    page.waitForFunction(
      (wanted) => {
        const { document } = globalThis as unknown as { document: { body: { innerText: string } } };
        let from = 0;
        return wanted.every((text) => {
          const at = document.body.innerText.indexOf(text, from);
          from = at + text.length;
          return at >= 0;
        });
      },
      texts,
      { timeout: 30_000 },
    );

  it('shows the boards and how they move', async () => {
    await page.goto(`${program.url}/`);
    await showsInOrder(['podcast 1', 'podcast 2', 'podcast 3']);
    await sql.change("UPDATE interactives SET like_cnt = 99 WHERE biz = 'podcast' AND biz_id = 3");
    await showsInOrder(['podcast 3', 'podcast 1', 'podcast 2']);
    const user = await program.token(7);
    await program.put('/api/interactive/song/5/like', undefined, { token: user });
    await showsInOrder(['podcast 2', 'song 5']);
  }, 90_000);

  it('finds the way to the documentation, where a call works', async () => {
    await page.goto(`${program.url}/`);
    await page.click('a[href="/docs"]');
    await page.waitForSelector('.opblock', { timeout: 30_000 });
    const operation = page.locator('.opblock', { hasText: '/healthz' }).first();
    await operation.locator('.opblock-summary').click();
    await operation.locator('button.try-out__btn').click();
    await operation.locator('button.execute').click();
    const status = operation.locator('.live-responses-table .response-col_status');
    await status.first().waitFor({ timeout: 30_000 });
    expect(await status.last().innerText()).toContain('200');
  }, 90_000);
});
