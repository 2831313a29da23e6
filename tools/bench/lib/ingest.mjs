// CPU of taking in and storing RTMP streams, against nginx's RTMP module with HLS files.
import { cost_per_stream } from './cost.mjs';
import { clip } from './programs.mjs';
import { names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';
import { median } from './stats.mjs';

// Longer than a server needs to settle: the live edge that it keeps in memory has filled (three target durations and
// more), its buffers have found their sizes.
const warm_up_s = 20;

async function round(source, count, seconds) {
  const costs = {};
  for (const start of [() => Lookback.start(), () => Nginx.start({ rtmp: true })]) {
    const server = await start();
    try {
      const urls = names(count).map((name) => server.publish_url(name));
      costs[server.name] = await cost_per_stream(server, source, urls, warm_up_s, seconds);
    } finally {
      await server.stop();
    }
  }
  progress(`ingest, ${count} streams: lookback ${costs.lookback.toFixed(3)} %, nginx ${costs.nginx.toFixed(3)} %`);
  return costs;
}

export async function ingest({ quick }) {
  const source = await clip();
  const rows = [];
  for (const count of quick ? [1, 30] : [1, 10, 30]) {
    const rounds = [];
    for (let i = 0; i < (quick ? 1 : 3); ++i) rounds.push(await round(source, count, quick ? 6 : 12));
    rows.push(
      row({
        what: `ingest CPU per stream, ${count} x 3 Mbit/s`,
        unit: '% of a core',
        ours: median(rounds.map((each) => each.lookback)),
        peer: median(rounds.map((each) => each.nginx)),
        peer_name: 'nginx-rtmp, HLS on',
        goal: count === 30 ? 0.15 : null,
        most_ratio: count === 30 ? 1 : null,
        detail: `${rounds.length} rounds`,
      }),
    );
  }
  return rows;
}
