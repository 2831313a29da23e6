import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

const hls_js = fileURLToPath(new URL('../../web/node_modules/hls.js/dist/hls.min.js', import.meta.url));

/** Plays a playlist with hls.js as it comes, with none of our options. */
async function play(browser, origin, target) {
  await browser.page.goto(`${origin}/livez`);
  await browser.page.addScriptTag({ path: hls_js });
  await browser.page.evaluate((url) => {
    const video = document.body.appendChild(document.createElement('video'));
    video.muted = true;
    const hls = new window.Hls();
    window.seen = { fatal: [], types: [], ended: false };
    hls.on(window.Hls.Events.ERROR, (_, data) => data.fatal && window.seen.fatal.push(data.details));
    hls.on(window.Hls.Events.LEVEL_LOADED, (_, { details }) => {
      window.seen.types.push(details.type);
      window.seen.live = details.live;
      window.seen.first = details.startSN;
      window.seen.last = details.endSN;
      window.seen.duration = details.totalduration;
    });
    video.addEventListener('ended', () => (window.seen.ended = true));
    hls.loadSource(url);
    hls.attachMedia(video);
    hls.on(window.Hls.Events.MANIFEST_PARSED, () => video.play());
  }, target);
}

const state = (browser) =>
  browser.page.evaluate(() => {
    const video = document.querySelector('video');
    return { ...window.seen, position: video.currentTime, start: video.seekable.length && video.seekable.start(0) };
  });

/** Waits until `condition` holds for the state of the player. */
async function reaches(browser, what, condition, limit_ms = 60_000) {
  let last;
  await until(what, async () => condition((last = await state(browser))), limit_ms).catch((error) => {
    throw new Error(`${error.message}\n${JSON.stringify(last)}`);
  });
  assert.deepEqual(last.fatal, []);
  return last;
}

/** Dates of the complete segments, oldest first, when there are `count`. */
async function dates(origin, count) {
  let found = [];
  await until(
    `${count} segments`,
    async () => {
      const answer = await fetch(`${origin}/live/demo/v0.m3u8`);
      const text = answer.ok ? await answer.text() : '';
      found = [...text.matchAll(/#EXT-X-PROGRAM-DATE-TIME:(\S+)\n(?:#EXT-X-PART.*\n)*#EXTINF/g)].map((m) => m[1]);
      return found.length >= count;
    },
    60_000,
  );
  return found;
}

test('hls.js plays a closed range to its end', { timeout: 180_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    const listed = await dates(server.origin, 6);
    await play(browser, server.origin, `/live/demo/index.m3u8?start=${listed[1]}&end=${listed[4]}`);
    const end = await reaches(browser, 'the range has ended', (now) => now.ended);
    assert.deepEqual([...new Set(end.types)], ['VOD']);
    assert.equal(end.live, false);
    assert.ok(Math.abs(end.duration - (Date.parse(listed[4]) - Date.parse(listed[1])) / 1000) < 0.1);
    assert.ok(end.position > end.duration - 0.5, `played to ${end.position} of ${end.duration}`);
  });
});

test('hls.js starts over, follows as the list grows, and seeks in it', { timeout: 180_000 }, async () => {
  await scene({}, async ({ server, browser, publish }) => {
    publish('live/demo');
    const listed = await dates(server.origin, 5);
    await play(browser, server.origin, `/live/demo/index.m3u8?start=${listed[1]}`);
    const begun = await reaches(browser, 'it plays', (now) => now.position > 0.5);
    assert.deepEqual([...new Set(begun.types)], ['EVENT']);
    assert.ok(begun.position < begun.duration - 3, `starts at the start, not at the edge: ${begun.position}`);

    await browser.page.evaluate(() => (document.querySelector('video').currentTime = 5));
    await reaches(browser, 'it plays from 5 s on', (now) => now.position > 6);
    await browser.page.evaluate(() => (document.querySelector('video').currentTime = 1));
    await reaches(browser, 'it plays from 1 s on', (now) => now.position > 2 && now.position < 5);

    const later = await reaches(browser, 'the list grows', (now) => now.last >= begun.last + 2);
    assert.equal(later.first, begun.first);
    assert.equal(later.live, true);
  });
});
