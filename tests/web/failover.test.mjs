import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

/** Waits until the API says who is on the air ("primary", "backup") and who stands by. */
const shows = (server, on_air, standby) =>
  until(`${on_air} is on the air, ${standby} stands by`, async () => {
    const answer = await fetch(`${server.origin}/api/v1/streams/live/demo`);
    if (!answer.ok) return false;
    const stream = await answer.json();
    return (stream.publisher?.role ?? null) === on_air && (stream.standby?.role ?? null) === standby;
  });

test('the page plays on when the primary publisher falls silent, and when it is cut off', { timeout: 200_000 }, async () => {
  await scene({ defaults: 'takeover = "2s"' }, async ({ server, browser, publish }) => {
    const primary = publish('live/demo');
    await shows(server, 'primary', null);
    const backup = publish('live/demo?backup=1');
    await shows(server, 'primary', 'backup');
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing', (now) => now.latency !== null);

    primary.signal('SIGSTOP');
    await shows(server, 'backup', 'primary');
    const silent = Date.now();
    await browser.plays('pictures of the backup', (now) => Date.parse(now.position) > silent + 1_000, 40_000);
    primary.signal('SIGCONT');
    await browser.moves_on(3);

    await backup.stop('SIGKILL');
    await shows(server, 'primary', null);
    const cut = Date.now();
    await browser.plays('pictures of the primary', (now) => Date.parse(now.position) > cut + 3_000, 40_000);
    primary.assert_running();
    const { live } = await browser.plays('live at the end', (now) => now.live && now.latency <= 4, 60_000);
    assert.equal(live, true);
    assert.ok(await browser.is_same_document(), 'the page was not loaded anew');
  });
});
