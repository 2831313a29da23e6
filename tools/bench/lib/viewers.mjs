// Many low-latency viewers of one stream. Debian has no low-latency HLS server to compare with.
import { Child, cpu_s, sleep } from './processes.mjs';
import { clip, program } from './programs.mjs';
import { Publisher } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median } from './stats.mjs';

async function round(source, count, seconds) {
  const server = await Lookback.start({ part: '200ms' });
  const publisher = new Publisher(source, [server.publish_url('s')]);
  try {
    const playlist = await server.video_playlist('s');
    const warm_up_s = 6;
    const words = [count, warm_up_s, seconds, server.http, playlist].map(String);
    const viewers = new Child(program('ll_viewers'), words);
    await viewers.line(/^measuring$/, warm_up_s + 20);
    const [cpu, client_cpu, time] = [cpu_s(server.pids), cpu_s([viewers.pid]), performance.now()];
    await sleep(seconds - 0.5);
    const passed_s = (performance.now() - time) / 1000;
    const per_viewer = (100 * (cpu_s(server.pids) - cpu)) / passed_s / count;
    const client = (100 * (cpu_s([viewers.pid]) - client_cpu)) / passed_s;
    const result = JSON.parse((await viewers.done(30)).at(-1));
    publisher.check();
    if (result.lost > 0) throw new Error(`${result.lost} viewers were lost`);
    return { ...result, per_viewer, client };
  } finally {
    await publisher.stop();
    await server.stop();
  }
}

export async function viewers({ quick }) {
  const source = await clip();
  const rows = [];
  for (const count of quick ? [1000] : [100, 1000]) {
    const rounds = [];
    for (let i = 0; i < (quick ? 1 : 5); ++i) {
      rounds.push(await round(source, count, quick ? 10 : 15));
      const { per_viewer, lateness_ms, stalls, client } = rounds.at(-1);
      progress(
        `viewers, ${count}: ${per_viewer.toFixed(4)} % each, late p50 ${lateness_ms.p50} p99 ${lateness_ms.p99} ms, ` +
          `${stalls} stalls, client ${client.toFixed(0)} %`,
      );
    }
    const of = (value) => median(rounds.map(value));
    const parts_per_s = of((each) => each.parts / each.seconds / count);
    const part_kb = of((each) => each.part_bytes / each.parts / 1000);
    const goals = count === 1000;
    rows.push(
      row({
        what: `${count} low-latency viewers, server CPU each`,
        unit: '% of a core',
        ours: of((each) => each.per_viewer),
        goal: goals ? 0.03 : null,
        detail: `${parts_per_s.toFixed(2)} parts/s of ${part_kb.toFixed(1)} kB each; ${rounds.length} rounds`,
      }),
      row({
        what: `${count} low-latency viewers, part late by, p99`,
        unit: 'ms',
        ours: of((each) => each.lateness_ms.p99),
        goal: goals ? 25 : null,
        detail: `p50 ${of((each) => each.lateness_ms.p50)}, max ${of((each) => each.lateness_ms.max)}`,
      }),
      row({
        what: `${count} low-latency viewers, stalls`,
        unit: 'in all rounds',
        ours: rounds.reduce((sum, each) => sum + each.stalls, 0),
        goal: goals ? 0 : null,
        detail: `the load client took ${of((each) => each.client).toFixed(0)} % of a core`,
      }),
    );
  }
  return rows;
}
