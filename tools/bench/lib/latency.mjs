// How long after its last frame was sent a part can be had; of nginx's RTMP module: a whole segment.
import { Child, sleep } from './processes.mjs';
import { clip, frame_s, gop_frames, program } from './programs.mjs';
import { Publisher, names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';
import { median, quantile } from './stats.mjs';

/** Frame number -> when it was sent, in ms. */
const sent_times = (publisher) =>
  new Map(publisher.lines.map((line) => line.split(' ')).map(([frame, ns]) => [Number(frame), Number(ns) / 1e6]));

/**
 * Delays in ms, of the first of `count` streams: until a playlist lists the part, and until all of the part has been
 * received. `settings`: lines of [defaults].
 */
export async function part_delays(source, part, seconds, { count = 1, settings = '' } = {}) {
  const server = await Lookback.start({ part, streams: settings });
  const streams = names(count);
  const publisher = new Publisher(source, streams.map((name) => server.publish_url(name)), { trace: true });
  try {
    const playlist = await server.video_playlist(streams[0]);
    const follower = new Child(program('part_follower'), [server.http, playlist, String(seconds)]);
    const parts = (await follower.done(seconds + 30)).map((line) => line.split(' ').map(Number));
    const sent = sent_times(publisher);
    publisher.check();
    const delays = parts.map(([frame, listed, received]) => ({
      listed: listed / 1e6 - sent.get(frame),
      received: received / 1e6 - sent.get(frame),
    }));
    if (delays.length < seconds) throw new Error(`only ${delays.length} parts were followed`);
    return delays;
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

/** The number of a segment file: nginx counts from 0, and each holds one GOP. */
const segment_number = (name) => Number(name.match(/-(\d+)\.ts$/)[1]);

async function segment_delays(source, seconds) {
  const server = await Nginx.start({ rtmp: true });
  const publisher = new Publisher(source, [server.publish_url('s')], { trace: true });
  try {
    const received = new Map();
    for (const end = performance.now() + (seconds + 3) * 1000; performance.now() < end; await sleep(0.001)) {
      const answer = await fetch(server.url('/hls/s.m3u8'));
      const text = await answer.text();
      if (!answer.ok) continue;
      for (const name of text.match(/^.*\.ts$/gm) ?? []) {
        if (received.has(name)) continue;
        await (await fetch(server.url(`/hls/${name}`))).arrayBuffer();
        received.set(name, Number(process.hrtime.bigint()) / 1e6);
      }
    }
    const sent = sent_times(publisher);
    publisher.check();
    return [...received].map(([name, time]) => time - sent.get((segment_number(name) + 1) * gop_frames - 1));
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

export async function latency({ quick }) {
  const seconds = quick ? 8 : 12;
  const rows = [];
  for (const b_frames of [0, 2]) {
    const source = await clip({ b_frames });
    for (const part of ['200ms', '334ms']) {
      const delays = [];
      const peers = [];
      for (let i = 0; i < (quick ? 1 : 2); ++i) {
        delays.push(...(await part_delays(source, part, seconds)));
        peers.push(...(await segment_delays(source, seconds)));
      }
      const received = delays.map((each) => each.received);
      const listed = delays.map((each) => each.listed);
      progress(`latency, ${part} parts, ${b_frames} B-frames: ${median(received).toFixed(2)} ms of ${delays.length}`);
      rows.push(
        row({
          what: `last frame sent to ${part} part received, p50, ${b_frames} B-frames`,
          unit: 'ms',
          ours: median(received),
          peer: median(peers),
          peer_name: 'nginx-rtmp, a 2 s segment',
          goal: Math.round(frame_s * 1e4) / 10 + 2,
          detail:
            `p90 ${quantile(received, 0.9).toFixed(1)}, p99 ${quantile(received, 0.99).toFixed(1)}; ` +
            `listed p50 ${median(listed).toFixed(2)}; ${received.length} parts, ${peers.length} segments`,
        }),
      );
    }
  }
  return rows;
}
