import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';
import { show_video } from './support/video.mjs';

test('clips open in the browser: animated WebP and GIF as pictures, MP4 in a video element to its end', { timeout: 120_000 }, async () => {
  await scene({ defaults: 'motionclip = { enabled = true, duration = "2s", interval = "10s" }' }, async ({ server, browser, publish }) => {
    publish('live/demo');
    await until('the first motion clip is there', async () => {
      const answer = await fetch(`${server.origin}/live/demo/motionclip.webp`).catch(() => null);
      return answer?.status === 200;
    }, 60_000);
    await browser.page.goto(`${server.origin}/livez`);
    for (const format of ['webp', 'gif']) {
      const size = await browser.page.evaluate(async (url) => {
        document.body.innerHTML = '';
        const image = new Image();
        image.src = url;
        document.body.append(image);
        await image.decode();
        return [image.naturalWidth, image.naturalHeight];
      }, `/live/demo/motionclip.${format}`);
      assert.deepEqual(size, [320, 180], format);
      const frames = await browser.page.evaluate(async (url) => {
        const answer = await fetch(url);
        const decoder = new ImageDecoder({ data: answer.body, type: answer.headers.get('content-type') });
        await decoder.completed;
        return decoder.tracks.selectedTrack.frameCount;
      }, `/live/demo/motionclip.${format}`);
      assert.equal(frames, 24, `${format}: 2 s of 12 pictures`);
    }

    await show_video(browser.page, '/live/demo/motionclip.mp4');
    await browser.page.evaluate(() => document.querySelector('video').play());
    const played = await until('the MP4 plays to its end', () =>
      browser.page.evaluate(() => {
        const video = document.querySelector('video');
        if (video.error) throw new Error(video.error.message);
        return video.ended && { duration: video.duration, width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames };
      }),
    );
    assert.ok(Math.abs(played.duration - 2) < 0.01, `2 s, as was asked for: ${played.duration}`);
    assert.equal(played.width, 320);
    assert.ok(played.frames >= 12, `${played.frames} pictures`);
  });
});
