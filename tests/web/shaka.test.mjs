import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

const shaka = readFileSync(createRequire(import.meta.url).resolve('shaka-player/dist/shaka-player.compiled.js'));
const page = '<!doctype html><title>Shaka</title><video id="v" muted autoplay></video><script src="/shaka.js"></script>';

/** A page with Shaka Player, on an origin of its own: the stream is loaded across origins, as by others' web sites. */
async function serve_page() {
  const server = createServer((request, response) => {
    const is_script = request.url === '/shaka.js';
    response.setHeader('Content-Type', is_script ? 'text/javascript' : 'text/html');
    response.end(is_script ? shaka : page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** In the page: plays `url` and keeps every error. */
async function play(url) {
  shaka.polyfill.installAll();
  window.errors = [];
  const player = new shaka.Player();
  await player.attach(document.getElementById('v'));
  window.player = player;
  player.addEventListener('error', ({ detail }) => window.errors.push({ code: detail.code, data: String(detail.data) }));
  player.configure({ streaming: { lowLatencyMode: true } });
  await player.load(url);
}

/** Shaka 5.2 looks into a segment near the end before it plays; that must not be the one that consists of parts only. */
async function count_segments(multivariant) {
  const answer = await fetch(multivariant);
  if (!answer.ok) return 0;
  const variant = (await answer.text()).split('\n').find((line) => line !== '' && !line.startsWith('#'));
  const media = await (await fetch(new URL(variant, multivariant))).text();
  return media.split('\n').filter((line) => line.startsWith('#EXTINF')).length;
}

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
