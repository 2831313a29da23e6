import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { until } from './wait.mjs';

const executable = process.env.CHROMIUM ?? '/usr/bin/chromium';
const flags = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** One headless Chromium with one page, and what that page asked for and complained about. */
export class Browser {
  requests = [];
  exceptions = [];

  static async start(options = {}) {
    const self = new Browser();
    self.browser = await chromium.launch({ executablePath: executable, headless: true, args: flags });
    const context = await self.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.on('request', (request) => self.requests.push(request.url()));
    self.page = await context.newPage();
    self.page.on('pageerror', (error) => self.exceptions.push(String(error)));
    return self;
  }

  /** Opens the watch page of a stream; the page may have to wait for it. */
  async watch(origin, stream, query = '') {
    await this.page.goto(`${origin}/watch/${stream}${query}`);
    await this.page.evaluate(() => (window.same_document = true));
  }

  /** window.lookback.stats() of the watch page. */
  stats() {
    return this.page.evaluate(() => window.lookback.stats());
  }

  /** Waits until the watch page plays, and `condition` (of its stats) holds. */
  plays(what, condition = () => true, limit_ms = 30_000) {
    return until(
      what,
      async () => {
        const now = await this.stats();
        if (now.state === 'playing' && now.playback_rate > 0 && now.current_time > 0 && condition(now)) return now;
        this.last = now;
        return false;
      },
      limit_ms,
    ).catch((error) => {
      throw new Error(`${error.message}\n${JSON.stringify(this.last, null, 1)}`);
    });
  }

  /** Waits until the picture has moved on by `seconds` from where it is now. */
  async moves_on(seconds, limit_ms = 30_000) {
    const { current_time } = await this.stats();
    return this.plays(`playing ${seconds} s on`, (now) => now.current_time >= current_time + seconds, limit_ms);
  }

  /** True while the document is the one that watch() opened. */
  is_same_document() {
    return this.page.evaluate(() => window.same_document === true);
  }

  /** Ends the browser, and checks what holds for every page: nothing thrown, nothing asked of another host. */
  async stop() {
    await this.browser.close();
    const outside = this.requests.filter((url) => /^(https?|wss?):/.test(url) && new URL(url).hostname !== '127.0.0.1');
    assert.deepEqual(outside, [], 'requests that left 127.0.0.1');
    assert.deepEqual(this.exceptions, [], 'exceptions in the page');
  }
}
