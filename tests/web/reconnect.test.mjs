import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clip } from './support/publisher.mjs';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

const height = (browser) => browser.page.evaluate(() => window.lookback.video.videoHeight);

test('the page plays on through ten reconnects of the publisher, one with another picture size', { timeout: 400_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    let publisher = publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing', (now) => now.latency !== null);
    assert.equal(await height(browser), 720);

    for (let round = 1; round <= 10; round += 1) {
      const small = round === 5;
      await publisher.stop(round % 2 ? 'SIGTERM' : 'SIGKILL');
      const again = Date.now();
      publisher = publish('live/demo', clip(small ? 'sintel_360p24_gop2.mp4' : 'sintel_720p24_gop2.mp4'));
      await browser.plays(`round ${round}: pictures of the new session`, (now) => Date.parse(now.position) > again + 500, 40_000);
      await browser.moves_on(1);
      publisher.assert_running();
      await until(`round ${round}: the picture's height`, async () => (await height(browser)) === (small ? 360 : 720));
    }
    const { state, live } = await browser.plays('live at the end', (now) => now.live && now.latency <= 3);
    assert.deepEqual({ state, live }, { state: 'playing', live: true });
    assert.ok(await browser.is_same_document(), 'the page was not loaded anew');
  });
});
