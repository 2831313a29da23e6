import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { scene } from '../support/scene.mjs';
import { until } from '../support/wait.mjs';
import { Obs } from './obs.mjs';

const stream = 'live/obs';
const count = (text, line) => text.split('\n').filter((candidate) => candidate === line).length;

/** The text of a playlist of the stream. */
async function playlist(server, name) {
  const answer = await fetch(`${server.origin}/${stream}/${name}`);
  assert.equal(answer.status, 200, name);
  return answer.text();
}

/** FFmpeg decodes four seconds of the stream without a complaint, and the server complains of the long GOP only. */
function check_clean(server) {
  const decoded = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', `${server.origin}/${stream}/index.m3u8`, '-t', '4',
    '-f', 'null', '-'], { encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([decoded.status, decoded.stderr], [0, ''], 'ffmpeg decodes it without a complaint');
  const complaints = server.log.split('\n').filter((line) => /^\S+ (warning|error|critical) /.test(line));
  // x264's own key pictures, more than eight seconds apart, are what the ingest health warns of.
  assert.deepEqual(complaints.filter((line) => !line.includes('a key picture comes every')), [], 'the log is clean');
}

/** A viewer opens the page, and sees OBS's film live. */
async function comes_live({ server, browser }) {
  await browser.watch(server.origin, stream);
  await browser.plays('live', (now) => now.live && now.latency !== null && now.latency <= 3, 90_000);
  await browser.moves_on(5);
  assert.ok((await contrast(browser)) > 60, 'the film is in the picture');
  const main = await playlist(server, 'index.m3u8');
  assert.match(main, /CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=640x360,FRAME-RATE=30\.000/);
}

/** How far the brightness of the picture that the page shows varies: 0 is a plain colour. */
function contrast(browser) {
  return browser.page.evaluate(() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [64, 36];
    const context = canvas.getContext('2d');
    context.drawImage(window.lookback.video, 0, 0, 64, 36);
    const { data } = context.getImageData(0, 0, 64, 36);
    const green = data.filter((_, at) => at % 4 === 1);
    return Math.max(...green) - Math.min(...green);
  });
}

/** Waits until the page, still the same document, shows pictures that were taken after now. */
async function plays_on(browser, what) {
  const now = Date.now();
  await browser.plays(what, ({ position }) => Date.parse(position) > now, 60_000);
  await browser.moves_on(3);
  assert.ok(await browser.is_same_document(), 'the page was not loaded anew');
}

test('OBS Studio publishes with its own defaults, crashes, stops and starts, and the viewer stays', { timeout: 400_000 }, async () => {
  await scene({}, async ({ server, browser, keep }) => {
    const obs = keep(await Obs.start(server.publish_url(stream)));
    await comes_live({ server, browser });
    const media = await playlist(server, 'v0.m3u8');
    // x264's own default: a sync sample every 250 frames, at 30 frames a second.
    assert.match(media, /^#EXTINF:8\.33[34]/m);
    assert.equal(count(media, '#EXT-X-DISCONTINUITY'), 0);

    await obs.crash();
    await until('the server sees that OBS is gone', () => server.log.includes('the peer closed the connection'));
    const second_session = until('the second session is listed', async () => {
      const now = await playlist(server, 'v0.m3u8');
      assert.ok(!now.includes('#EXT-X-ENDLIST'), 'the stream waits for its publisher');
      return count(now, '#EXT-X-DISCONTINUITY') === 1;
    }, 90_000);
    await Promise.all([second_session, obs.run()]);
    await plays_on(browser, 'pictures of the second session');

    await obs.stop_streaming();
    await until('OBS said goodbye', () => server.log.includes('the encoder stopped'));
    await obs.start_streaming();
    await until('the third session is listed', async () => count(await playlist(server, 'v0.m3u8'), '#EXT-X-DISCONTINUITY') === 2, 60_000);
    await plays_on(browser, 'pictures of the third session');

    const first_segment = media.match(/^v0-\S+-0\.m4s$/m)?.[0];
    assert.ok(first_segment, 'the first playlist names its first segment');
    assert.ok((await playlist(server, 'v0.m3u8')).includes(`\n${first_segment}\n`), 'the first session is still there');
    check_clean(server);
  });
});

test('OBS Studio publishes by SRT, and a viewer plays it live', { timeout: 240_000 }, async () => {
  await scene({ srt: true }, async ({ server, browser, keep }) => {
    keep(await Obs.start(server.srt_url(stream)));
    await comes_live({ server, browser });
    assert.equal(count(await playlist(server, 'v0.m3u8'), '#EXT-X-DISCONTINUITY'), 0);
    check_clean(server);
  });
});
