import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

/** Calls the control API; from this machine it asks no token. */
async function call(origin, method, path, body) {
  const answer = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

const window_start = async (origin) => {
  const text = await (await fetch(`${origin}/live/demo/v0.m3u8`)).text();
  return Number(text.match(/#EXT-X-MEDIA-SEQUENCE:(\d+)/)?.[1]);
};

test('a recording plays to its end after the window has moved on', { timeout: 240_000 }, async () => {
  await scene({ defaults: 'segment = "1s"\nreplay = { duration = "1s" }' }, async ({ server, browser, publish }) => {
    publish('live/demo');
    await until('8 segments are there', async () => (await fetch(`${server.origin}/live/demo/v0.m3u8`)).ok);
    await until('there is something to record', async () => (await window_start(server.origin)) >= 4, 60_000);
    const wanted = { stream: 'live/demo', start: 'now-5s', end: 'now', name: 'five seconds' };
    const made = await call(server.origin, 'POST', '/recordings', wanted);
    const state = async () => call(server.origin, 'GET', `/recordings/${made.id}`);
    await until('it is ready', async () => (await state()).state === 'ready', 20_000);
    const first = Number(
      (await (await fetch(`${server.origin}/vod/${made.id}/v0.m3u8`)).text()).match(/#EXT-X-MEDIA-SEQUENCE:(\d+)/)[1],
    );
    await until('the window has moved on', async () => (await window_start(server.origin)) > first + 12, 60_000);

    await browser.watch(server.origin, `vod/${made.id}`);
    await until('it plays', () => browser.page.evaluate(() => window.lookback.video.currentTime > 0), 30_000);
    const duration = await browser.page.evaluate(() => window.lookback.video.duration);
    assert.ok(duration >= 4.9 && duration < 12, `duration ${duration}`);
    await until('it has played to the end', () => browser.page.evaluate(() => window.lookback.video.ended), 60_000);
    const stats = await browser.stats();
    assert.equal(stats.media_errors, 0);
    assert.equal(stats.network_errors, 0);
  });
});
