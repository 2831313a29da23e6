import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { count_segments, play, serve_page } from './support/shaka.mjs';
import { until } from './support/wait.mjs';

/** Waits until the stream's playlist has begun to slide, or has so many segments. */
const segments = (server, count) =>
  until(`${count} segments`, async () => (await count_segments(`${server.origin}/live/demo/index.m3u8`)) >= count, 90_000);

/** In the page: what the seek bar's bubble shows, as pixels, beside the thumbnail of the same tile's picture. */
async function compare_preview(storyboard_url) {
  const image = document.getElementById('picture-image');
  await image.decode();
  const [, x, y] = image.style.transform.match(/translate\((-?\d+)px, (-?\d+)px\)/).map(Number);
  const board = await (await fetch(storyboard_url)).json();
  const is_it = (tile) => new URL(tile.url, storyboard_url).href === image.src && tile.x === -x && tile.y === -y;
  const tile = board.tiles.find(is_it);
  if (!tile) return { moved: true };
  const pixels = (source, from_x, from_y) => {
    const canvas = new OffscreenCanvas(board.tile_width, board.tile_height).getContext('2d');
    canvas.drawImage(source, from_x, from_y, board.tile_width, board.tile_height, 0, 0, board.tile_width, board.tile_height);
    return canvas.getImageData(0, 0, board.tile_width, board.tile_height).data;
  };
  const difference = (one, other) => one.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0) / one.length;
  const seen = pixels(image, -x, -y);
  let best = Infinity;
  // The first key picture in the tile: at most an interval after its start; the clip has one every 2 s.
  for (let after = 0; after < board.interval; after += 2) {
    const time = new Date(Date.parse(tile.time) + after * 1000).toISOString();
    const answer = await fetch(`thumbnail.jpg?time=${time}&width=160&height=90`.replace(/^/, new URL('.', storyboard_url).href));
    if (!answer.ok) continue;
    best = Math.min(best, difference(seen, pixels(await createImageBitmap(await answer.blob()), 0, 0)));
  }
  return { date: Date.parse(tile.time), interval: board.interval, difference: best };
}

test('who joins a sliding window late sees the right pictures over the seek bar', { timeout: 240_000 }, async () => {
  await scene({ defaults: 'replay.duration = "50s"' }, async ({ server, browser, publish }) => {
    publish('live/demo');
    await segments(server, 24);
    await browser.watch(server.origin, 'live/demo');
    await browser.plays('playing', (now) => now.latency !== null);
    const bar = await browser.page.locator('#seek').boundingBox();
    for (const place of [0.15, 0.35, 0.5, 0.7, 0.9]) {
      const result = await until(`a picture at ${place}`, async () => {
        await browser.page.mouse.move(bar.x + bar.width * place, bar.y + bar.height / 2);
        await browser.page.mouse.move(bar.x + bar.width * place + 1, bar.y + bar.height / 2);
        if (!(await browser.page.locator('#picture').isVisible())) return false;
        const found = await browser.page.evaluate(compare_preview, `${server.origin}/live/demo/storyboard.json`);
        return !found.moved && found;
      });
      assert.ok(result.difference < 12, `at ${place}: a mean difference of ${result.difference} of 255`);
      const shown = await browser.page.locator('#preview').textContent();
      const [hours, minutes, seconds] = shown.split(':').map(Number);
      const date = new Date(result.date);
      const off = (hours * 3600 + minutes * 60 + seconds - (date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds()) + 86_400) % 86_400;
      assert.ok(off <= result.interval || off >= 86_399, `the bubble says ${shown}, the tile begins at ${date.toISOString()}`);
    }
  });
});

test('Shaka Player finds the image playlist by itself, and its pictures', { timeout: 240_000 }, async () => {
  const { server: pages, origin } = await serve_page();
  try {
    await scene({}, async ({ server, browser, publish }) => {
      publish('live/demo');
      await segments(server, 16);
      await browser.page.goto(origin);
      await browser.page.evaluate(play, `${server.origin}/live/demo/index.m3u8`);
      const found = await until('a thumbnail', () =>
        browser.page.evaluate(async () => {
          const { player } = window;
          const [track] = player.getImageTracks();
          if (!track || window.errors.length > 0) return window.errors.length > 0 && { errors: window.errors };
          const range = player.seekRange();
          const thumbnail = await player.getThumbnails(track.id, (range.start + range.end) / 2);
          if (!thumbnail) return false;
          const answer = await fetch(thumbnail.uris[0]);
          const picture = await createImageBitmap(await answer.blob());
          return { type: thumbnail.mimeType, width: picture.width, height: picture.height, tracks: player.getImageTracks().length,
            duration: thumbnail.duration, time: document.getElementById('v').currentTime, errors: window.errors };
        }),
      );
      assert.deepEqual(found.errors, []);
      assert.equal(found.tracks, 1);
      assert.equal(found.type, 'image/jpeg');
      assert.deepEqual([found.width, found.height], [160, 90]);
      assert.ok(found.duration > 0 && found.duration <= 10, `${found.duration} s`);
      const start = await browser.page.evaluate(() => document.getElementById('v').currentTime);
      await until('it plays on', () => browser.page.evaluate((from) => document.getElementById('v').currentTime > from + 5, start));
    });
  } finally {
    pages.close();
  }
});
