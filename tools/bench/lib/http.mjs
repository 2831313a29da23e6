// CPU per request of what players ask for most, against nginx with the same bytes in files.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cpu_s, run, sleep } from './processes.mjs';
import { clip } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';
import { median } from './stats.mjs';

const connections = 64;
const published_s = 12;

/** The URIs that a playlist lists, absolute paths: { segments, parts }. */
function uris(text, base) {
  const path = (uri) => new URL(uri, base).pathname;
  const parts = [...text.matchAll(/^#EXT-X-PART:.*URI="([^"]+)"/gm)].map(([, uri]) => path(uri));
  const segments = [...text.matchAll(/^[^#\s].*$/gm)].map(([uri]) => path(uri));
  return { segments, parts };
}

async function body(server, path) {
  const answer = await fetch(server.url(path));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** Whichever of these has the size nearest to `bytes`. */
async function nearest(server, paths, bytes) {
  const bodies = await Promise.all(paths.map(async (path) => ({ path, data: await body(server, path) })));
  return bodies.sort((a, b) => Math.abs(a.data.length - bytes) - Math.abs(b.data.length - bytes))[0];
}

/**
 * A stream whose publisher has just left: the playlist stays as it is at the live edge, so that both servers
 * send the same bytes.
 */
async function objects(server) {
  const source = await clip();
  const publisher = new Publisher(source, [server.publish_url('s')]);
  try {
    await sleep(published_s);
    publisher.check();
  } finally {
    await publisher.stop();
  }
  await sleep(1);
  const path = await server.video_playlist('s');
  const playlist = { path, data: await body(server, path) };
  const { segments, parts } = uris(playlist.data.toString(), server.url(path));
  const segment = { path: segments[0], data: await body(server, segments[0]) };
  return { playlist, part: await nearest(server, parts, 100_000), segment };
}

/** CPU in us per request. */
async function cost(server, path, seconds) {
  const words = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, server.url(path)];
  const before = cpu_s(server.pids);
  const text = (await run('wrk', words, { limit_s: seconds + 30 })).join('\n');
  const used = cpu_s(server.pids) - before;
  const requests = Number(text.match(/(\d+) requests in/)[1]);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${server.name} failed:\n${text}`);
  return (used * 1e6) / requests;
}

export async function compare(lookback, nginx, name, { path, data }, { quick }) {
  writeFileSync(join(nginx.www, name), data);
  const seconds = quick ? 2 : 3;
  const costs = { lookback: [], nginx: [] };
  for (let i = 0; i < (quick ? 2 : 8); ++i) {
    costs.lookback.push(await cost(lookback, path, seconds));
    costs.nginx.push(await cost(nginx, `/${name}`, seconds));
    const [ours, peer] = [costs.lookback, costs.nginx].map((each) => each.at(-1).toFixed(1));
    progress(`http, ${name}: lookback ${ours} us, nginx ${peer} us`);
  }
  const detail = `${data.length} bytes; ${costs.nginx.length} rounds`;
  return { ours: median(costs.lookback), peer: median(costs.nginx), detail };
}

export async function http(options) {
  const lookback = await Lookback.start({ part: '250ms' });
  const nginx = await Nginx.start({ workers: cpus().length });
  try {
    const { playlist, part, segment } = await objects(lookback);
    const common = { unit: 'us CPU/request', peer_name: 'nginx, static file' };
    return [
      row({
        what: 'live playlist',
        ...common,
        most_ratio: 1,
        ...(await compare(lookback, nginx, 'playlist.m3u8', playlist, options)),
      }),
      row({
        what: 'part at the live edge',
        ...common,
        most_ratio: 1.1,
        ...(await compare(lookback, nginx, 'part.m4s', part, options)),
      }),
      row({
        what: 'segment at the live edge',
        ...common,
        ...(await compare(lookback, nginx, 'segment.m4s', segment, options)),
      }),
    ];
  } finally {
    await lookback.stop();
    await nginx.stop();
  }
}
