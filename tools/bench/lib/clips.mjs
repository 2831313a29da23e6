// Clips: the time of one of three hours ago, and what a motion clip for each half minute costs.
import { join } from 'node:path';
import { children_of, cpu_s, run, sleep } from './processes.mjs';
import { clip, fill_store, root } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median } from './stats.mjs';

const film = join(root, 'tests', 'media', 'sintel_720p24_gop2.mp4');
const interval_s = 30, duration_s = 5;

async function fetched(url) {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** Where the newest clip of 5 s that can be had ends, ms. */
async function newest_end(server, stream) {
  const answer = await fetch(server.url(`/${stream}/animated.webp?start=now-${duration_s}s&end=now`), { redirect: 'manual' });
  return Date.parse(new URL(answer.headers.get('location'), server.url('/')).searchParams.get('end'));
}

/** Clips of 5 s, one before the other, the newest up to `end`. Times in ms, sizes in bytes. */
async function ask(server, stream, leaf, end, rounds) {
  const times = [], sizes = [];
  for (let i = 0; i < rounds; ++i) {
    const start = new Date(end - (i + 1) * duration_s * 1000).toISOString();
    const before = performance.now();
    const { length } = await fetched(server.url(`/${stream}/${leaf}?start=${start}&duration=${duration_s}s`));
    times.push(performance.now() - before);
    sizes.push(length);
  }
  return { times, sizes };
}

async function old_moments(options) {
  const data = Lookback.data_folder();
  await run(fill_store(), [data, 'live/old', film, String(3 * 3600 + 600)]);
  const server = await Lookback.start({ data });
  try {
    const { times, sizes } = await ask(server, 'live/old', 'animated.webp', Date.now() - 3 * 3_600_000, options.quick ? 8 : 30);
    progress(`clips, of three hours ago: ${times.map((ms) => ms.toFixed(0)).join(' ')} ms`);
    return row({
      what: 'animated.webp of 3 h ago', unit: 'ms', ours: median(times), goal: 1000,
      detail: `5 s of 720p, 320 px wide, ${(median(sizes) / 1024).toFixed(0)} KiB; the first one, which starts the worker: ${times[0].toFixed(0)}`,
    });
  } finally {
    await server.stop();
  }
}

/** CPU of the worker for clips of a stream, as if one were made each half minute: % of a core. */
async function shares(options, source, name) {
  const server = await Lookback.start({});
  const publisher = new Publisher(source, [server.publish_url('s')]);
  try {
    const rounds = options.quick ? 3 : 8;
    await sleep(rounds * duration_s + 6);
    publisher.check();
    await publisher.stop();
    const stream = new URL(server.publish_url('s')).pathname.slice(1);
    const end = await newest_end(server, stream);
    await fetched(server.url(`/${stream}/thumbnail.jpg`)); // starts the worker
    const [worker] = children_of(server.pids[0]);
    const rows = [];
    for (const [leaf, goal] of [['animated.webp', 3], ['animated.mp4', null], ['animated.gif', null]]) {
      const before = cpu_s([worker]);
      const { sizes } = await ask(server, stream, leaf, end, rounds);
      const clip_s = (cpu_s([worker]) - before) / rounds;
      progress(`clips, ${name}, ${leaf}: ${(clip_s * 1000).toFixed(0)} ms of CPU each`);
      rows.push(row({
        what: `motion clip as ${leaf.slice(9)}, ${name}`, unit: '% of a core', ours: (clip_s / interval_s) * 100, goal,
        detail: `5 s each 30 s; ${(clip_s * 1000).toFixed(0)} ms and ${(median(sizes) / 1024).toFixed(0)} KiB a clip`,
      }));
    }
    return rows;
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

export async function clips(options) {
  return [
    await old_moments(options),
    ...(await shares(options, await clip({ b_frames: 2 }), '720p30 of noise')),
    ...(await shares(options, film, '720p24 of a film')),
  ];
}
