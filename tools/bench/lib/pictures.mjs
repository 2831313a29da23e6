// Thumbnails: the time of one that has to be decoded, and the CPU of one that is kept, against nginx.
import { cpus } from 'node:os';
import { compare } from './http.mjs';
import { sleep } from './processes.mjs';
import { clip } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';
import { median } from './stats.mjs';
import { lateness, thumbs } from './thumbs.mjs';

const published_s = 8;

/** A stream whose publisher has just left, so that decoding has a core to itself. */
async function publish(server) {
  const publisher = new Publisher(await clip(), [server.publish_url('s')]);
  try {
    await sleep(published_s);
    publisher.check();
  } finally {
    await publisher.stop();
  }
}

async function fetched(server, path) {
  const answer = await fetch(server.url(path));
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** Each width is asked for the first time: each picture is read, decoded, scaled and encoded. */
async function uncached(server, path, rounds) {
  const times = [];
  for (let i = 0; i < rounds; ++i) {
    const before = performance.now();
    await fetched(server, `${path}&width=${400 + i}`);
    times.push(performance.now() - before);
  }
  progress(`pictures, never asked for: ${times.map((ms) => ms.toFixed(0)).join(' ')} ms`);
  return times;
}

async function thumbnails(options) {
  const lookback = await Lookback.start({});
  const nginx = await Nginx.start({ workers: cpus().length });
  try {
    await publish(lookback);
    const stream = new URL(lookback.publish_url('s')).pathname;
    const path = `${stream}/thumbnail.jpg?time=2000-01-01T00:00:00Z`; // the first one
    await fetched(lookback, path); // starts the worker
    const times = await uncached(lookback, path, options.quick ? 10 : 50);
    const kept = { path, data: await fetched(lookback, path) };
    return [
      row({ what: 'thumbnail, never asked for', unit: 'ms', ours: median(times), goal: 60, detail: '720p key picture' }),
      row({
        what: 'thumbnail, kept',
        unit: 'us CPU/request',
        peer_name: 'nginx, static file',
        most_ratio: 1.1,
        ...(await compare(lookback, nginx, 'thumbnail.jpg', kept, options)),
      }),
    ];
  } finally {
    await lookback.stop();
    await nginx.stop();
  }
}

export async function pictures(options) {
  return [...(await thumbnails(options)), await thumbs(options), await lateness(options)];
}
