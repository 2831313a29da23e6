// From the first packet of a new stream to its first listed part.
import { Child } from './processes.mjs';
import { clip, program } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median, quantile } from './stats.mjs';

/** In ms. */
async function start_up(source, server, stream, url) {
  const follower = new Child(program('part_follower'), ['--listed', '30', server.http, '1', `/live/${stream}/v0.m3u8`]);
  const publisher = new Publisher(source, [url], { trace: true });
  try {
    const [, listed] = await follower.line(/^0 first (\d+)/, 30);
    const [, sent] = await publisher.line(/^0 (\d+)/, 5);
    await follower.done(30);
    return (Number(listed) - Number(sent)) / 1e6;
  } finally {
    await publisher.stop();
    await follower.stop();
  }
}

export async function startup({ quick }) {
  const source = await clip();
  const server = await Lookback.start({ srt: true });
  const rows = [];
  try {
    for (const protocol of ['RTMP', 'SRT']) {
      const times = [];
      for (let i = 0; i < (quick ? 3 : 10); ++i) {
        const stream = `${protocol.toLowerCase()}${i}`;
        const url = protocol === 'RTMP' ? server.publish_url(stream) : server.srt_url(stream);
        times.push(await start_up(source, server, stream, url));
      }
      progress(`startup, ${protocol}: ${times.map((each) => each.toFixed(0)).join(' ')} ms`);
      rows.push(
        row({
          what: `first packet sent to first listed part, ${protocol}`,
          unit: 'ms',
          ours: median(times),
          detail: `${times.length} streams, worst ${quantile(times, 1).toFixed(0)}; sync samples every 2 s`,
        }),
      );
    }
  } finally {
    await server.stop();
  }
  return rows;
}
