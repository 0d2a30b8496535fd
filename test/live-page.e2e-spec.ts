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
  let env: Record<string, string>;
  const faults: string[] = [];
  const streams: string[] = [];

  const insert = (id: number, likes: number): Promise<unknown> =>
    sql.change("INSERT INTO interactives (id, biz, biz_id, like_cnt) VALUES (?, 'et', ?, ?)", [
      id,
      id,
      likes,
    ]);

  /** Ids with scores, in the order of the page. */
  const shown = (board: string, on = page): Promise<string[]> =>
    on
      .locator(`[data-board="${board}"] li`)
      .evaluateAll((rows) =>
        rows.map(
          (row) => `${row.getAttribute('data-id')}:${row.querySelector('.score')?.textContent}`,
        ),
      );

  const name = (id: number) => page.locator(`[data-board="likes"] li[data-id="${id}"] .name`);
  const heart = (id: number, on = page) =>
    on.locator(`[data-board="likes"] li[data-id="${id}"] .like`);

  /** What the page shows for these scores on the board `hot`: texts and lengths of bars. */
  const hot = async (...scores: number[]): Promise<string[]> => {
    const counts = { biz: 'article', biz_id: 1, read_cnt: 0, like_cnt: 0, collect_cnt: 0 };
    const data = scores.map((score, index) => ({ id: index + 1, ...counts, score }));
    const event = `event: board\ndata: ${JSON.stringify({ board: 'hot', data })}\n\n`;
    const other = await browser.newPage();
    await other.route('**/api/ranking/stream', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: `retry: 60000\n\n${event}` }),
    );
    await other.goto(program.url);
    const rows = other.locator('[data-board="hot"] li');
    await rows.nth(scores.length - 1).waitFor();
    const texts = await rows.evaluateAll((all) =>
      all.map(
        (row) =>
          `${row.querySelector('.score')?.textContent} ${row.style.getPropertyValue('--share')}`,
      ),
    );
    await other.close();
    return texts;
  };

  beforeAll(async () => {
    env = await streamsWithRelay.prepare('live_page');
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
  });

  afterAll(async () => {
    await browser?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    await sql?.close();
    await program?.stop();
  });

  it('shows the boards, and moves their rows as the table changes', async () => {
    await page.goto(program.url);
    await eventually(async () => expect(await shown('likes')).toEqual(['3:30', '2:20', '1:10']));
    expect(await page.locator('section[data-board]').count()).toBe(4);
    // The same element moves, so that users see the move.
    const row = await page.locator('[data-board="likes"] li[data-id="1"]').elementHandle();
    await sql.change('UPDATE interactives SET like_cnt = 1040 WHERE id = 1');
    await eventually(async () => expect(await shown('likes')).toEqual(['1:1,040', '3:30', '2:20']));
    expect(await row?.evaluate((element) => element.querySelector('.rank')?.textContent)).toBe('1');
    await sql.change('DELETE FROM interactives WHERE id = 3');
    await insert(4, 25);
    await eventually(async () => expect(await shown('likes')).toEqual(['1:1,040', '4:25', '2:20']));
  });

  it('likes on a click, which changes the row for everyone', async () => {
    await page.locator('[data-board="likes"] li[data-id="2"] .like').click();
    await eventually(async () => expect(await shown('likes')).toContain('2:21'));
    const [row] = await sql.rows<{ n: number }>(
      'SELECT like_cnt AS n FROM interactives WHERE id = 2',
    );
    expect(row?.n).toBe(21);
  });

  it('uses one connection for all boards, and shows that it is live', async () => {
    expect(streams).toEqual([`${program.url}/api/ranking/stream`]);
    await page.locator('#connection[data-state="live"]').waitFor();
    expect(await page.locator('[role="status"]').innerText()).toBe('live');
  });

  it('announces to screen readers only whether it is live, not each update', async () => {
    const updates = () => page.locator('#updates').innerText();
    await page.evaluate(`{
      said = 0;
      new MutationObserver(() => said++).observe(document.querySelector('[role="status"]'), {
        childList: true, characterData: true, subtree: true,
      });
    }`);
    for (const likes of [26, 27, 28]) {
      const before = await updates();
      await sql.change('UPDATE interactives SET like_cnt = ? WHERE id = 4', [likes]);
      await eventually(async () => expect(await updates()).not.toBe(before));
    }
    expect(await page.evaluate('said')).toBe(0);
  });

  it('keeps the focus on the heart of a row that moves up or down', async () => {
    await heart(2).focus();
    for (const [likes, rank] of [
      [2_000, 0],
      [5, 2],
    ] as const) {
      await sql.change('UPDATE interactives SET like_cnt = ? WHERE id = 2', [likes]);
      await eventually(async () =>
        expect((await shown('likes'))[rank]).toBe(`2:${likes.toLocaleString('en')}`),
      );
      expect(await heart(2).evaluate((element) => element.matches(':focus'))).toBe(true);
    }
  });

  it('moves its rows smoothly under traffic: one animation of a row at a time', async () => {
    await page.evaluate(`{
      const { children } = document.querySelector('[data-board="likes"] ol');
      reorders = [];
      motions = 0;
      new MutationObserver(() => reorders.push(performance.now())).observe(
        children[0].parentNode, { childList: true },
      );
      (function watch() {
        for (const row of children) motions = Math.max(motions, row.getAnimations().length);
        requestAnimationFrame(watch);
      })();
    }`);
    for (let likes = 3_000; likes < 3_060; likes++)
      await sql.change('UPDATE interactives SET like_cnt = ? WHERE id = ?', [
        likes,
        [1, 2, 4][likes % 3],
      ]);
    await eventually(async () =>
      expect(await shown('likes')).toEqual(['4:3,059', '2:3,058', '1:3,057']),
    );
    const times = await page.evaluate<number[]>('reorders');
    expect(times.length).toBeGreaterThan(0);
    // At most three per second, at whatever time the browser draws them.
    expect((times.length - 1) * 350).toBeLessThanOrEqual(times.at(-1)! - times[0]! + 100);
    expect(await page.evaluate('motions')).toBeLessThanOrEqual(1);
    // When no animation runs, the rows lie below one another, without gaps.
    await eventually(async () => {
      const [first, second, third] = await page
        .locator('[data-board="likes"] li')
        .evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect()));
      expect([second!.top, third!.top]).toEqual([first!.bottom, second!.bottom]);
    });
  });

  it('follows a row that changes to another object', async () => {
    await sql.change("UPDATE interactives SET biz = 'video', biz_id = 77 WHERE id = 4");
    await eventually(async () => expect(await name(4).innerText()).toBe('video 77'));
    expect(await heart(4).getAttribute('aria-label')).toBe('Like video 77');
    await heart(4).click();
    await eventually(async () => expect(await shown('likes')).toContain('4:3,060'));
  });

  it('shows any name as text, and likes with exactly that name', async () => {
    const biz = '<img src=x onerror=alert(1)>/?';
    await sql.change(
      'INSERT INTO interactives (id, biz, biz_id, like_cnt) VALUES (5, ?, 5, 9000)',
      [biz],
    );
    await eventually(async () => expect(await name(5).innerText()).toBe(`${biz} 5`));
    expect(await page.locator('main img').count()).toBe(0);
    const other = await browser.newPage();
    await other.goto(program.url);
    const liked = other.waitForRequest((request) => request.method() === 'PUT');
    await heart(5, other).click();
    const { pathname } = new URL((await liked).url());
    expect(pathname).toBe(`/api/interactive/${encodeURIComponent(biz)}/5/like`);
    await other.getByText('Not liked: biz must be').waitFor();
    await other.evaluate(`document.body.append(
      Object.assign(document.createElement('script'), { textContent: 'window.isRun = true' }),
    )`);
    expect(await other.evaluate('window.isRun')).toBeUndefined();
    await other.close();
    await sql.change('DELETE FROM interactives WHERE id = 5');
  });

  it('shows hot scores as a share of the best one only when that is above zero', async () => {
    expect(await hot(0, -0.5)).toEqual(['– 0', '– 0']);
    expect(await hot(0.002, 0.0005, -4)).toEqual(['100% 1', '25% 0.25', '0% 0']);
  });

  it('shows a message on a board without rows', async () => {
    await page.locator('[data-board="hot"] .empty').waitFor();
    expect(await page.locator('[data-board="likes"] .empty').isVisible()).toBe(false);
  });

  it.each(['light', 'dark'] as const)(
    'has enough contrast for everyone in the %s theme',
    async (theme) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const contrasts = await page.evaluate<[string, number][]>(`{
      const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      const luminance = (...layers) => {
        for (const layer of layers) {
          context.fillStyle = layer;
          context.fillRect(0, 0, 1, 1);
        }
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) =>
          value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
        );
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (one, other) =>
        (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const found = [];
      const style = (element, pseudo) => getComputedStyle(element, pseudo);
      const paper = style(document.body).backgroundColor;
      for (const selector of ['header p', '#connection', 'nav a:not(.primary)', 'footer']) {
        const { color } = style(document.querySelector(selector));
        found.push([selector, contrast(luminance(color), luminance(paper))]);
      }
      for (const section of document.querySelectorAll('section:has(li)')) {
        const card = style(section).backgroundColor;
        const bar = style(section.querySelector('li'), '::before').backgroundColor;
        for (const selector of ['h2 small', '.rank', '.name', '.counts', '.score', '.like']) {
          const { color } = style(section.querySelector(selector));
          const isOnBar = ['.rank', '.name', '.counts'].includes(selector);
          const layers = isOnBar ? [card, bar] : [card];
          const name = section.dataset.board + ' ' + selector;
          found.push([name, contrast(luminance(color), luminance(...layers))]);
        }
      }
      found;
    }`);
      expect(contrasts).toHaveLength(4 + 3 * 6);
      expect(contrasts.filter(([, contrast]) => contrast < 4.5)).toEqual([]);
      await page.emulateMedia({ colorScheme: null, reducedMotion: null });
    },
  );

  it('places its boards two by two on a small desktop', async () => {
    await page.setViewportSize({ width: 1024, height: 768 });
    const places = await page
      .locator('section[data-board]')
      .evaluateAll((all) => all.map((section) => section.getBoundingClientRect()));
    const [a, b, c, d] = places.map(({ left, top }) => ({ left, top }));
    expect([b!.top, c!.left, d]).toEqual([a!.top, a!.left, { left: b!.left, top: c!.top }]);
  });

  it('fits a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    const [content, window] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, innerWidth]',
    );
    expect(content).toBeLessThanOrEqual(window);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('switches between light and dark, and remembers the choice', async () => {
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor');
    const before = await background();
    await page.locator('#theme').click();
    const after = await background();
    expect(after).not.toBe(before);
    await page.reload();
    expect(await background()).toBe(after);
  });

  describe('the Swagger UI that it links to', () => {
    /** Makes a call without parameters there: returns the status and all that is shown. */
    const call = async (path: string): Promise<[status: string, told: string]> => {
      const operation = page.locator('.opblock-get', {
        has: page.locator(`[data-path="${path}"]`),
      });
      await operation.locator('.opblock-summary-control').click();
      await operation.locator('.try-out__btn').click();
      await operation.locator('.execute').click();
      const answer = operation.locator('.live-responses-table');
      await answer.waitFor();
      const status = await answer.locator('.response-col_status').last().innerText();
      return [status.trim(), await answer.innerText()];
    };

    it('makes calls', async () => {
      await page.locator('nav a[href="/docs"]').click();
      const [status, told] = await call('/api/ranking');
      expect(status).toMatch(/^200/);
      expect(told).toContain('collect_cnt');
    });

    it('makes calls for a user, once it has their token', async () => {
      await page.locator('.auth-wrapper .authorize').first().click();
      await page.locator('.auth-container input').fill(await program.token(7));
      await page.locator('.auth-btn-wrapper .authorize').click();
      await page.locator('.auth-btn-wrapper .btn-done').click();
      const [status, told] = await call('/api/articles');
      expect(status).toMatch(/^200/);
      expect(told).toContain('nextCursor');
    });
  });

  it('has no error in the console', () => {
    expect(faults).toEqual([]);
  });

  it('has a content security policy that allows only its own script and style', async () => {
    const policy = async (path: string): Promise<string | null> => {
      const { headers } = await program.get(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      return headers.get('content-security-policy');
    };
    const own = await policy('/');
    expect(own).toMatch(/default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+';/);
    expect(own).toContain("frame-ancestors 'none'");
    expect(await policy('/docs')).toMatch(/default-src 'self'; .*frame-ancestors 'none'/);
    // Answers that are not pages carry no policy.
    expect(await policy('/api/ranking')).toBeNull();
  });

  describe('in production', () => {
    let other: Page;
    const start = (port: string): Promise<Program> =>
      Program.start({
        name: 'the program in production',
        env: {
          ...env,
          RANKING_SIZE: '5',
          PORT: port,
          ROLE: 'api',
          NODE_ENV: 'production',
          JWT_SECRET: '3f9a1c7be2d84065b1f7c09d5e6a8234',
        },
      });
    let production: Program;
    beforeAll(async () => {
      production = await start('0');
      other = await browser.newPage();
      await other.goto(production.url);
      await eventually(async () => expect(await shown('likes', other)).not.toEqual([]));
    });
    afterAll(() => production?.stop());

    it('shows no hearts, since there are no tokens to like with', async () => {
      expect(await other.locator('.like').filter({ visible: true }).count()).toBe(0);
      expect(await other.locator('footer').innerText()).not.toContain('heart');
    });

    it('shows that the server is unreachable, dims what may be outdated, and recovers', async () => {
      const opacity = () =>
        other.evaluate<string>('getComputedStyle(document.querySelector("ol")).opacity');
      const said = () => other.locator('[role="status"]').innerText();
      expect(await opacity()).toBe('1');
      const { port } = new URL(production.url);
      await production.stop();
      await eventually(async () => expect(await said()).toBe('reconnecting…'));
      await eventually(async () => expect(Number(await opacity())).toBeLessThan(0.5));
      production = await start(port);
      await eventually(async () => expect(await said()).toBe('live'));
      await eventually(async () => expect(await opacity()).toBe('1'));
    });
  });
});
