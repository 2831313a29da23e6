import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

test('the watch page waits for a stream that is not there yet, and starts it by itself, with its sound', { timeout: 90_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    await browser.watch(server.origin, 'live/later');
    await browser.page.getByText('Waiting for the stream').waitFor();
    assert.equal((await browser.stats()).state, 'waiting');
    publish('live/later');
    await browser.plays('playing', (now) => now.latency !== null);
    await browser.page.getByText('Waiting for the stream').waitFor({ state: 'hidden' });
    assert.equal(await browser.page.evaluate(() => window.lookback.hls.audioTracks.length), 1, 'audio renditions');
    assert.ok(await browser.is_same_document());
  });
});

test('after the grace time the page says that the stream has ended, and still replays it', { timeout: 120_000 }, async () => {
  await scene({ defaults: 'grace = "2s"' }, async ({ server, browser, publish }) => {
    const publisher = publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing', (now) => now.latency !== null);
    await browser.moves_on(12);
    await publisher.stop();
    await until('the end', async () => (await browser.stats()).state === 'ended', 40_000);
    await browser.page.getByText('The stream has ended').waitFor();

    await until('the last picture', () => browser.page.evaluate(() => window.lookback.video.ended), 20_000);
    const end = await browser.stats();
    await browser.page.keyboard.press('ArrowLeft');
    await browser.page.keyboard.press(' ');
    await until('replay after the end', async () => {
      const now = await browser.stats();
      return now.current_time > end.current_time - 9 && now.current_time < end.current_time;
    });
  });
});

test('the start page leads to a watch page, and refuses what is not a name', { timeout: 60_000 }, async () => {
  await scene({}, async ({ server, browser }) => {
    await browser.page.goto(`${server.origin}/`);
    await browser.page.getByLabel('Stream').fill('live/../secret');
    await browser.page.getByRole('button', { name: 'Watch' }).click();
    await browser.page.getByRole('alert').waitFor();
    await browser.page.getByLabel('Stream').fill('demo');
    await browser.page.keyboard.press('Enter');
    await browser.page.waitForURL(`${server.origin}/watch/live/demo`);
  });
});

test('the embedded player fills its frame and carries its query to the stream', { timeout: 90_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    await browser.page.setViewportSize({ width: 640, height: 480 });
    await browser.page.goto(`${server.origin}/embed/live/demo?token=abc`);
    await browser.plays('playing');
    const box = await browser.page.locator('media-controller').boundingBox();
    assert.deepEqual(box, { x: 0, y: 0, width: 640, height: 480 });
    assert.ok(browser.requests.includes(`${server.origin}/live/demo/index.m3u8?token=abc`));
  });
});

test('every control has a name for those who do not see it', { timeout: 90_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing');
    for (const name of ['Go to live|Live', 'Back 10 seconds', 'Forward 10 seconds', 'play|pause', 'mute|unmute', 'enter fullscreen mode']) {
      const control = browser.page.getByRole('button', { name: new RegExp(`^(${name})$`, 'i') });
      assert.ok((await control.count()) >= 1, `a button named ${name}`);
    }
  });
});
