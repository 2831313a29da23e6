import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const shaka = readFileSync(createRequire(import.meta.url).resolve('shaka-player/dist/shaka-player.compiled.js'));
const page = '<!doctype html><title>Shaka</title><video id="v" muted autoplay></video><script src="/shaka.js"></script>';

/** A page with Shaka Player, on an origin of its own: the stream is loaded across origins, as by others' web sites. */
export async function serve_page() {
  const server = createServer((request, response) => {
    const is_script = request.url === '/shaka.js';
    response.setHeader('Content-Type', is_script ? 'text/javascript' : 'text/html');
    response.end(is_script ? shaka : page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}` };
}

/** In the page: plays `url` and keeps every error. */
export async function play(url) {
  shaka.polyfill.installAll();
  window.errors = [];
  const player = new shaka.Player();
  await player.attach(document.getElementById('v'));
  window.player = player;
  player.addEventListener('error', ({ detail }) => window.errors.push({ code: detail.code, data: String(detail.data) }));
  player.configure({ streaming: { lowLatencyMode: true } });
  await player.load(url);
}

/** Shaka 5.2 looks into a segment near the end before it plays; that must not be the one that consists of parts only. */
export async function count_segments(multivariant) {
  const answer = await fetch(multivariant);
  if (!answer.ok) return 0;
  const variant = (await answer.text()).split('\n').find((line) => line !== '' && !line.startsWith('#'));
  const media = await (await fetch(new URL(variant, multivariant))).text();
  return media.split('\n').filter((line) => line.startsWith('#EXTINF')).length;
}
