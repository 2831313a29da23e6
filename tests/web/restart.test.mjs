import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';

test('a viewer outlives a killed server, and can rewind to before the kill', { timeout: 240_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    const publisher = publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing', (now) => now.latency !== null);
    const before = await browser.moves_on(8);

    await server.kill();
    await publisher.stop();
    await server.run();
    const again = Date.now();
    publish('live/demo');
    await browser.plays('pictures after the restart', (now) => Date.parse(now.position) > again, 60_000);
    await browser.moves_on(3);

    // 10 s at a time, to what was seen before the kill.
    for (let i = 0; i < 20 && Date.parse((await browser.stats()).position) > Date.parse(before.position); i += 1) {
      const { current_time } = await browser.stats();
      await browser.page.keyboard.press('ArrowLeft');
      await browser.plays('a step back', (now) => now.current_time < current_time);
    }
    const back = await browser.stats();
    assert.ok(Date.parse(back.position) <= Date.parse(before.position), `${back.position} is not before the kill`);
    await browser.moves_on(2);
    assert.ok(await browser.is_same_document(), 'the page was not loaded anew');
  });
});
