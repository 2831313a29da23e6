import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

const play_time_ms = 20_000;

/** Once it runs, lets the page play for the time the requirement names; returns the stalls and latencies seen meanwhile. */
async function watch_for(browser, ms) {
  await browser.moves_on(2);
  const before = await browser.stats();
  const latencies = [];
  const end = Date.now() + ms;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    latencies.push((await browser.stats()).latency);
  }
  const after = await browser.stats();
  return { stalls: after.stalls - before.stalls, played: after.current_time - before.current_time, latencies };
}

const worst = (latencies) => Math.max(...latencies);

test('a viewer sees the stream live, rewinds, and comes back to live', { timeout: 180_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('live within 2 s', (now) => now.live && now.latency !== null && now.latency <= 2);

    const { stalls, played, latencies } = await watch_for(browser, play_time_ms);
    assert.equal(stalls, 0, 'stalls in 20 s');
    assert.ok(played >= 19, `played ${played} s of 20`);
    assert.ok(worst(latencies) <= 2, `latency ${worst(latencies)} s`);
    assert.ok(await browser.page.locator('#live.lit').isVisible(), 'LIVE is lit');

    const edge = await browser.stats();
    await browser.page.keyboard.press('ArrowLeft');
    const first = await browser.plays('10 s back', (now) => now.latency > edge.latency + 8);
    await browser.page.keyboard.press('ArrowLeft');
    const back = await browser.plays('15 s back', (now) => now.latency >= first.latency + 5);
    assert.equal(back.live, false);
    const later = await browser.moves_on(5);
    assert.ok(Math.abs(later.latency - back.latency) < 1, 'replay goes on at its own distance, and is not dragged to the edge');
    assert.ok(!(await browser.page.locator('#live.lit').isVisible()), 'LIVE is dark');

    await browser.page.locator('#live').click();
    await browser.plays('live again', (now) => now.live && now.latency <= 2);
    await browser.page.locator('#live.lit').waitFor();
    await browser.moves_on(3);
  });
});

test('parts of 200 ms give a latency of 1.3 s', { timeout: 120_000 }, async () => {
  await scene({ defaults: 'part = "200ms"' }, async ({ server, browser, publish }) => {
    publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('live within 1.3 s', (now) => now.live && now.latency !== null && now.latency <= 1.3);
    const { stalls, latencies } = await watch_for(browser, play_time_ms);
    assert.equal(stalls, 0, 'stalls in 20 s');
    assert.ok(worst(latencies) <= 1.3, `latency ${worst(latencies)} s`);
  });
});

test('the position is shown as a time of day that agrees with the date of the picture', { timeout: 90_000 }, async () => {
  await scene({ browser: { timezoneId: 'UTC', locale: 'en-GB' } }, async ({ server, browser, publish }) => {
    publish('live/demo');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('live', (now) => now.live && now.latency <= 2);
    await until('the clock shows the second of the picture, or the one before', async () => {
      const [shown, position] = await browser.page.evaluate(() => [
        document.getElementById('clock').textContent,
        window.lookback.stats().position,
      ]);
      const second_before = new Date(Date.parse(position) - 1000).toISOString();
      return [position, second_before].some((date) => date.slice(11, 19) === shown);
    });
  });
});
