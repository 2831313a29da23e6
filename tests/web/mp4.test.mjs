import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';
import { show_video } from './support/video.mjs';

/** The page's <video>: what it says of itself. */
const state = (browser) =>
  browser.page.evaluate(() => {
    const video = document.querySelector('video');
    return {
      time: video.currentTime, duration: video.duration, width: video.videoWidth, ready: video.readyState,
      seeking: video.seeking, error: video.error?.message ?? null,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
    };
  });

/** The absolute range that `video.mp4` redirects to, in ms. */
async function stored_range(server) {
  const answer = await fetch(`${server.origin}/live/demo/video.mp4`, { redirect: 'manual' });
  if (answer.status !== 302) return null;
  const query = new URL(answer.headers.get('location'), server.origin).searchParams;
  return { start: Date.parse(query.get('start')), end: Date.parse(query.get('end')) };
}

test('a plain video element plays video.mp4, and seeks in it without loading all of it', { timeout: 180_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    const range = await until('20 s are stored', async () => {
      const stored = await stored_range(server).catch(() => null);
      return stored && stored.end - stored.start >= 20_000 && stored;
    }, 60_000);
    const [start, end] = [range.start + 1_300, range.start + 19_300].map((ms) => new Date(ms).toISOString());
    await browser.page.goto(`${server.origin}/livez`);
    await show_video(browser.page, `/live/demo/video.mp4?start=${start}&end=${end}`);

    const loaded = await until('it has its metadata and a picture', async () => {
      const now = await state(browser);
      assert.equal(now.error, null);
      return now.ready >= 2 && now;
    });
    assert.ok(Math.abs(loaded.duration - 18) < 0.05, `18 s, as was asked for: ${loaded.duration}`);
    assert.equal(loaded.width, 1280);

    for (const target of [12.5, 3.2, 17, 0, 9.75]) {
      await browser.page.evaluate((time) => (document.querySelector('video').currentTime = time), target);
      const there = await until(`it is at ${target} s`, async () => {
        const now = await state(browser);
        assert.equal(now.error, null);
        return !now.seeking && now.ready >= 2 && now;
      });
      assert.ok(Math.abs(there.time - target) < 0.1, `at ${there.time}, not ${target}`);
    }

    await browser.page.evaluate(() => {
      const video = document.querySelector('video');
      video.currentTime = 14;
      return video.play();
    });
    const played = await until('it plays to its end', async () => {
      const now = await state(browser);
      assert.equal(now.error, null);
      return now.time >= now.duration - 0.05 && now;
    });
    assert.ok(played.frames > loaded.frames + 24 * 3, `${played.frames} pictures`);
  });
});
