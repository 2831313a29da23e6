// What a window of a day costs: its first playlist after a start, and each reload of it against one of a minute.
import { Child, cpu_s, run, sleep } from './processes.mjs';
import { fill_store, program, small_clip } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median } from './stats.mjs';

const windows = { day: 24 * 3600, minute: 60 };
const streams = Object.entries(windows)
  .map(([name, seconds]) => `[streams."live/${name}"]\nreplay = { duration = "${seconds}s" }`)
  .join('\n');
const viewers = 200;

/** CPU and bytes of one playlist that nobody has asked for since the server's start. */
async function first_playlist(data) {
  const server = await Lookback.start({ data, streams });
  try {
    const path = await server.video_playlist('day');
    await sleep(1);
    const before = cpu_s(server.pids);
    const words = ['-s', '-o', '/dev/null', '-H', 'Accept-Encoding: gzip', '-w', '%{size_download}\\n', server.url(path)];
    const [bytes] = await run('curl', words);
    const cpu_ms = (cpu_s(server.pids) - before) * 1000;
    const plain = (await (await fetch(server.url(path), { headers: { 'accept-encoding': 'identity' } })).arrayBuffer()).byteLength;
    progress(`window, first playlist: ${cpu_ms.toFixed(1)} ms CPU, ${bytes} of ${plain} bytes`);
    return { cpu_ms, bytes: Number(bytes), plain };
  } finally {
    await server.stop({ keep_folder: true });
  }
}

/** Server CPU and bytes of a blocking reload by many low-latency viewers. */
async function reloads(server, name, seconds) {
  const words = ['--no-media', viewers, 4, seconds, server.http, await server.video_playlist(name)].map(String);
  const crowd = new Child(program('ll_viewers'), words);
  await crowd.line(/^measuring$/, 30);
  const before = cpu_s(server.pids);
  await sleep(seconds - 0.2);
  const cpu = cpu_s(server.pids) - before;
  const result = JSON.parse((await crowd.done(30)).at(-1));
  if (result.lost > 0) throw new Error(`${result.lost} viewers were lost`);
  const each = { cpu_us: (cpu * 1e6) / result.playlists, bytes: result.playlist_bytes / result.playlists };
  progress(`window, reload of a ${name}: ${each.cpu_us.toFixed(1)} us CPU, ${each.bytes.toFixed(0)} bytes`);
  return each;
}

/** Both windows in turn, on one server to which both streams are published. */
async function reload_rounds(data, count, seconds) {
  const server = await Lookback.start({ data, streams });
  const publisher = new Publisher(await small_clip(), Object.keys(windows).map((name) => server.publish_url(name)));
  try {
    await sleep(20); // what came before has left the live edge of both
    const rounds = [];
    for (let i = 0; i < count; ++i) {
      const order = i % 2 === 0 ? ['day', 'minute'] : ['minute', 'day'];
      const round = {};
      for (const name of order) round[name] = await reloads(server, name, seconds);
      rounds.push(round);
    }
    publisher.check();
    return rounds;
  } finally {
    await publisher.stop();
    await server.stop({ keep_folder: true });
  }
}

export async function window({ quick }) {
  const data = Lookback.data_folder();
  for (const [name, seconds] of Object.entries(windows)) {
    progress(`window: filling a store with a ${name}`);
    await run(fill_store(), [data, `live/${name}`, await small_clip(), String(seconds)], { limit_s: 1200 });
  }
  const firsts = [];
  for (let i = 0; i < (quick ? 3 : 7); ++i) firsts.push(await first_playlist(data));
  const rounds = await reload_rounds(data, quick ? 2 : 6, quick ? 5 : 10);
  const of = (name, what) => median(rounds.map((round) => round[name][what]));
  const compared = (what, unit, field) =>
    row({
      what, unit, ours: of('day', field), peer: of('minute', field), peer_name: 'a window of a minute',
      most_ratio: 1.1, detail: `${viewers} viewers; ${rounds.length} rounds`,
    });
  return [
    row({
      what: 'first full playlist of 24 h', unit: 'ms CPU', ours: median(firsts.map((each) => each.cpu_ms)), goal: 10,
      detail: `gzip: ${firsts[0].bytes} of ${firsts[0].plain} bytes; ${firsts.length} starts, worst ${Math.max(...firsts.map((each) => each.cpu_ms)).toFixed(1)} ms`,
    }),
    compared('reload of 24 h (delta)', 'us CPU', 'cpu_us'),
    compared('reload of 24 h (delta)', 'bytes', 'bytes'),
  ];
}
