import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { count_segments, play, serve_page } from './support/shaka.mjs';
import { until } from './support/wait.mjs';

const look = () => ({
  time: document.getElementById('v').currentTime,
  latency: window.player.getStats().liveLatency,
  is_live: window.player.isLive(),
  errors: window.errors,
});

test('Shaka Player plays the same stream from another origin', { timeout: 120_000 }, async () => {
  const { server: pages, origin } = await serve_page();
  try {
    await scene({}, async ({ server, browser, publish }) => {
      publish('live/demo');
      const url = `${server.origin}/live/demo/index.m3u8`;
      await until('four whole segments', async () => (await count_segments(url)) >= 4);
      await browser.page.goto(origin);
      await browser.page.evaluate(play, url);
      const start = await until('it plays', async () => {
        const now = await browser.page.evaluate(look);
        return now.time > 0 && now;
      });
      const later = await until('it plays 10 s on', async () => {
        const now = await browser.page.evaluate(look);
        assert.deepEqual(now.errors, []);
        return now.time >= start.time + 10 && now;
      });
      assert.equal(later.is_live, true);
      assert.ok(later.latency > 0 && later.latency < 10, `latency ${later.latency} s`);
    });
  } finally {
    pages.close();
  }
});
