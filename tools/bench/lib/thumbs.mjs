// The `thumbs` process: CPU of a tile every 10 s and of its sheet, and whether 100 streams with it have a late part.
import { part_delays } from './latency.mjs';
import { children_of, cpu_s, sleep } from './processes.mjs';
import { clip } from './programs.mjs';
import { Publisher, names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { quantile } from './stats.mjs';

const interval_s = 10;
const sheet_s = 100 * interval_s;

const workers_of = (server) => server.pids.flatMap((pid) => children_of(pid));

/** CPU that the picture workers use meanwhile, in seconds. */
async function worker_cpu(server, work) {
  const before = cpu_s(workers_of(server));
  await work();
  return cpu_s(workers_of(server)) - before;
}

/** The newest sheet of a stream's storyboard, made now: of all its tiles so far. */
async function make_sheet(server, name) {
  const folder = new URL(server.publish_url(name)).pathname;
  const board = await (await fetch(server.url(`${folder}/storyboard.json`))).json();
  const answer = await fetch(server.url(`${folder}/${board.tiles.at(-1).url}`));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  await answer.arrayBuffer();
}

/** Percent of a core per stream: its tiles, and its sheet once in a thousand seconds. */
export async function thumbs({ quick }) {
  const count = 10;
  const server = await Lookback.start({});
  try {
    const streams = names(count);
    const publisher = new Publisher(await clip(), streams.map((name) => server.publish_url(name)));
    try {
      await sleep(2 * interval_s); // the worker runs, and every stream has had a tile
      const seconds = (quick ? 3 : 6) * interval_s;
      const tiles = await worker_cpu(server, () => sleep(seconds));
      const sheets = await worker_cpu(server, async () => {
        for (const name of streams) await make_sheet(server, name);
      });
      publisher.check();
      const ours = 100 * (tiles / seconds + sheets / sheet_s) / count;
      progress(`thumbs: ${((1000 * tiles * interval_s) / seconds / count).toFixed(1)} ms a tile, ${((1000 * sheets) / count).toFixed(1)} ms a sheet`);
      return row({ what: 'thumbs at 10 s, CPU per 720p stream', unit: '% of a core', ours, goal: 0.25, detail: `${count} streams, sheet among it` });
    } finally {
      await publisher.stop();
    }
  } finally {
    await server.stop();
  }
}

/** How late the parts of one stream of many are, with `thumbs` and without; in ms, the 99th of a hundred. */
export async function lateness({ quick }) {
  const count = 100;
  const seconds = quick ? 20 : 40;
  const source = await clip();
  const late = {};
  for (const enabled of [false, true]) {
    const delays = await part_delays(source, '334ms', seconds, { count, settings: `thumbs.enabled = ${enabled}` });
    late[enabled] = quantile(delays.map(({ received }) => received), 0.99);
    progress(`${count} streams, thumbs ${enabled ? 'on' : 'off'}: p99 ${late[enabled].toFixed(1)} ms of ${delays.length} parts`);
  }
  return row({
    what: `last frame sent to part received, p99 of ${count} streams with thumbs`,
    unit: 'ms',
    ours: late.true,
    peer: late.false,
    peer_name: 'the same without thumbs',
    goal: 334,
    detail: 'a part is late when the next one is due',
  });
}
