// Whether every part of many RTMP streams is listed in time: within a part target of when its last frame was sent.
import { Child } from './processes.mjs';
import { clip, frame_s, program } from './programs.mjs';
import { Publisher, names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median, quantile } from './stats.mjs';

const part_ms = 334;

/** "STREAM FRAME" -> when it was sent, in ms. */
function sent_times(publisher) {
  const sent = new Map();
  for (const line of publisher.lines) {
    const [stream, frame, ns] = line.split(' ');
    sent.set(`${stream} ${frame}`, Number(ns) / 1e6);
  }
  return sent;
}

/** How long after its last frame each part was listed, in ms. */
async function delays_of(count, seconds) {
  const server = await Lookback.start();
  const streams = names(count);
  const publisher = new Publisher(await clip(), streams.map((name) => server.publish_url(name)), { trace_all: true });
  try {
    const targets = streams.map((name) => `/live/${name}/v0.m3u8`);
    const words = ['--listed', String(Math.round(1 / frame_s)), server.http, String(seconds), ...targets];
    const lines = await new Child(program('part_follower'), words).done(seconds + 60);
    const sent = sent_times(publisher);
    publisher.check();
    const parts = lines.map((line) => line.split(' ')).filter(([, frame]) => frame !== 'first');
    const delays = parts.map(([stream, frame, listed]) => Number(listed) / 1e6 - sent.get(`${stream} ${frame}`));
    // Three parts a second, less those of the first look and those that came two at a time.
    const fewest = count * seconds * 2;
    if (delays.length < fewest) throw new Error(`only ${delays.length} parts were followed, not ${fewest}`);
    if (delays.some(Number.isNaN)) throw new Error('a part ends with a frame that was not sent');
    return delays;
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

export async function late({ quick }) {
  const count = quick ? 30 : 100;
  const seconds = quick ? 15 : 60;
  const delays = await delays_of(count, seconds);
  const late_parts = delays.filter((each) => each > part_ms).length;
  progress(`late, ${count} streams: ${late_parts} of ${delays.length} parts, p50 ${median(delays).toFixed(1)} ms`);
  return [
    row({
      what: `late parts of ${count} RTMP streams of 3 Mbit/s`,
      unit: 'parts',
      ours: late_parts,
      goal: 0,
      detail:
        `of ${delays.length} in ${seconds} s; listed after the last frame: p50 ${median(delays).toFixed(1)}, ` +
        `p99 ${quantile(delays, 0.99).toFixed(1)}, most ${quantile(delays, 1).toFixed(1)} ms`,
    }),
  ];
}
