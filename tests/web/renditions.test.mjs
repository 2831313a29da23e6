import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { clip } from './support/publisher.mjs';
import { scene } from './support/scene.mjs';
import { until } from './support/wait.mjs';

const ours = createRequire(import.meta.url);
const watch_page = createRequire(new URL('../../web/package.json', import.meta.url));
const scripts = {
  '/shaka.js': readFileSync(ours.resolve('shaka-player/dist/shaka-player.compiled.js')),
  '/hls.js': readFileSync(watch_page.resolve('hls.js/dist/hls.min.js')),
};
const page = (script) =>
  `<!doctype html><title>${script}</title><video id="v" muted autoplay></video><script src="${script}"></script>`;

/** A page with one player's script, on an origin of its own. */
async function serve_pages() {
  const server = createServer((request, response) => {
    const script = scripts[request.url];
    response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
    response.end(script ?? page(`${request.url}.js`));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

const folder = mkdtempSync(join(tmpdir(), 'lookback-ladder-'));
const ladder = join(folder, 'ladder.ts');

/** Three renditions with key pictures at the same instants, English and German: what an encoder's ladder is. */
before(() => {
  const filter =
    '[0:v]setpts=N/24/TB,split=3[large][m][s];[m]scale=480:270[middle];[s]scale=320:180[small];[0:a]asetpts=N/SR/TB,asplit[english][g];[g]volume=0.3[german]';
  const made = spawnSync('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', '-stream_loop', '11', '-i', clip('sintel_360p24_gop2.mp4'), '-filter_complex', filter],
    ...['[large]', '[middle]', '[small]', '[english]', '[german]'].flatMap((label) => ['-map', label]),
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '48', '-keyint_min', '48', '-sc_threshold', '0'],
    ...['-b:v:0', '900k', '-b:v:1', '450k', '-b:v:2', '200k', '-c:a', 'aac', '-b:a', '96k'],
    ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu', '-f', 'mpegts', ladder],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** In the page: counts how often the picture has to wait once it plays. */
function count_stalls() {
  const video = document.getElementById('v');
  window.stalls = [];
  video.addEventListener('playing', () => video.addEventListener('waiting', () => window.stalls.push(video.currentTime)), {
    once: true,
  });
}

const look = () => {
  const video = document.getElementById('v');
  return { ...window.state(), time: video.currentTime, width: video.videoWidth, stalls: window.stalls, errors: window.errors };
};

/** The ladder as one transport stream. */
const in_one = (server, { publish_ts }) => publish_ts('live/five', ladder);

/** Each rendition by a connection of its own; German comes with the second. */
const in_three = (server, { publish_all }) =>
  publish_all(
    ladder,
    [[0, 0], [1, 1], [2, 0]].flatMap(([video, audio]) => [
      ...['-map', `0:v:${video}`, '-map', `0:a:${audio}`, '-c', 'copy', '-f', 'mpegts'],
      server.srt_url(`live/five@${video}`),
    ]),
  );

/** Plays the ladder in a player, and goes through all its levels and languages. `drive` runs in the page. */
async function switches(player, drive, start = in_one) {
  const { server: pages, origin } = await serve_pages();
  try {
    await scene({ srt: true }, async ({ server, browser, ...tools }) => {
      start(server, tools);
      const url = `${server.origin}/live/five/index.m3u8`;
      await until('six whole segments', async () => {
        const media = await fetch(`${server.origin}/live/five/v0.m3u8`);
        return media.ok && (await media.text()).split('\n').filter((line) => line.startsWith('#EXTINF')).length >= 6;
      });
      await browser.page.goto(`${origin}/${player}`);
      await browser.page.evaluate(count_stalls);
      await browser.page.evaluate(drive, url);
      const shows = (what, condition) =>
        until(what, async () => {
          const now = await browser.page.evaluate(look);
          assert.deepEqual(now.errors, []);
          return condition(now) && now;
        });
      const moves_on = async (seconds) => {
        const { time } = await browser.page.evaluate(look);
        return shows(`it plays ${seconds} s on`, (now) => now.time >= time + seconds);
      };
      await shows('it plays', (now) => now.time > 0 && now.width > 0);
      await moves_on(2);
      for (const width of [320, 640, 480, 640]) {
        await browser.page.evaluate((wanted) => window.choose_width(wanted), width);
        await shows(`a picture ${width} wide`, (now) => now.width === width);
        await moves_on(1);
      }
      for (const [language, track] of [['de', 'a1'], ['en', 'a0']]) {
        const before = browser.requests.length;
        await browser.page.evaluate((wanted) => window.choose_language(wanted), language);
        await shows(`the language ${language}`, (now) => now.language === language);
        await moves_on(3);
        const asked = browser.requests.slice(before).filter((each) => new URL(each).pathname.startsWith(`/live/five/${track}-`));
        assert.ok(asked.length > 0, `media of ${track} were asked for`);
      }
      const { stalls } = await browser.page.evaluate(look);
      assert.deepEqual(stalls, [], 'stalls at these times');
    });
  } finally {
    pages.close();
  }
}

/** In the page. */
async function drive_hls(url) {
  window.errors = [];
  const hls = new window.Hls({ lowLatencyMode: true, liveSyncDuration: 4, startLevel: 0 });
  hls.on(window.Hls.Events.ERROR, (_, data) => data.fatal && window.errors.push(data.details));
  window.choose_width = (width) => {
    hls.nextLevel = hls.levels.findIndex((level) => level.width === width);
  };
  window.choose_language = (language) => {
    hls.nextAudioTrack = hls.audioTracks.findIndex((track) => track.lang === language);
  };
  window.state = () => ({ language: hls.audioTracks[hls.audioTrack]?.lang });
  hls.loadSource(url);
  hls.attachMedia(document.getElementById('v'));
}

test('hls.js goes through levels and languages without a stall', { timeout: 180_000 }, () => switches('hls', drive_hls));

test('and so when each rendition comes by a connection of its own', { timeout: 180_000 }, () =>
  switches('hls', drive_hls, in_three));

test('Shaka Player goes through levels and languages without a stall', { timeout: 180_000 }, async () => {
  await switches('shaka', async (url) => {
    window.errors = [];
    window.shaka.polyfill.installAll();
    const player = new window.shaka.Player();
    await player.attach(document.getElementById('v'));
    player.addEventListener('error', ({ detail }) => window.errors.push(`${detail.code} ${detail.data}`));
    player.configure({ abr: { enabled: false }, preferredAudio: [{ language: 'en' }], streaming: { lowLatencyMode: false } });
    const active = () => player.getVariantTracks().find((track) => track.active);
    window.choose_width = (width) => {
      const { language } = active();
      player.selectVariantTrack(player.getVariantTracks().find((track) => track.width === width && track.language === language), false);
    };
    window.choose_language = (language) => {
      player.selectAudioTrack(player.getAudioTracks().find((track) => track.language === language), 2);
    };
    window.state = () => ({ language: active()?.language });
    await player.load(url);
  });
});
