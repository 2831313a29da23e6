// video.mp4 of two hours, against nginx with the same bytes in one file.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cpu_s, resident_bytes, run } from './processes.mjs';
import { clip, fill_store } from './programs.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';
import { median } from './stats.mjs';

const stream = 'live/film';
const iso = (ms) => new Date(ms).toISOString();

/** curl's own measurements of one download that is thrown away. */
async function download(url, words = [], limit_s = 600) {
  const format = '%{http_code} %{time_starttransfer} %{time_total} %{size_download}';
  const [line] = await run('curl', ['-s', '-o', '/dev/null', '-w', `${format}\n`, ...words, url], { limit_s });
  const [status, first_s, total_s, bytes] = line.split(' ').map(Number);
  if (status !== 200 && status !== 206) throw new Error(`${url}: ${status}`);
  return { first_s, total_s, bytes };
}

/** What the stream has: [start, end) in ms. */
async function extent_of(server) {
  const answer = await fetch(server.url(`/${stream}/video.mp4`), { redirect: 'manual' });
  if (answer.status !== 302) throw new Error(`video.mp4: ${answer.status}`);
  const query = new URL(answer.headers.get('location'), 'http://x').searchParams;
  return { start: Date.parse(query.get('start')), end: Date.parse(query.get('end')) };
}

const movie = (start, end) => `/${stream}/video.mp4?start=${iso(start)}&end=${iso(end)}`;

/** Each of these ranges is asked for the first time: all of the tables are made for it. */
async function first_byte(server, { start, end }, rounds) {
  const times = [];
  for (let i = 1; i <= rounds; ++i) {
    const { first_s } = await download(server.url(movie(start + i, end)), ['-r', '0-0']);
    times.push(first_s * 1000);
    progress(`mp4, first byte: ${(first_s * 1000).toFixed(0)} ms`);
  }
  return times;
}

/** Downloads in turn from both; bytes per second, and CPU seconds per GB. */
async function throughput(lookback, nginx, path, rounds) {
  const results = { lookback: [], nginx: [] };
  const cpu = { lookback: [], nginx: [] };
  let peak = 0;
  for (let i = 0; i < rounds; ++i) {
    for (const [server, where] of i % 2 === 0 ? [[lookback, path], [nginx, '/video.mp4']] : [[nginx, '/video.mp4'], [lookback, path]]) {
      const before = cpu_s(server.pids);
      const watch = setInterval(() => (peak = Math.max(peak, resident_bytes(lookback.pids))), 100);
      const { total_s, bytes } = await download(server.url(where)).finally(() => clearInterval(watch));
      results[server.name].push(bytes / total_s);
      cpu[server.name].push(((cpu_s(server.pids) - before) * 1e9) / bytes);
      progress(`mp4, download: ${server.name} ${(bytes / total_s / 1e6).toFixed(0)} MB/s, ${cpu[server.name].at(-1).toFixed(3)} s CPU/GB`);
    }
  }
  return { results, cpu, peak };
}

export async function mp4({ quick }) {
  const hours = 2, rounds = quick ? 3 : 7;
  const data = Lookback.data_folder();
  progress(`mp4: filling a store with ${hours} h`);
  await run(fill_store(), [data, stream, await clip({ b_frames: 2 }), String(hours * 3600)], { limit_s: 1200 });
  const lookback = await Lookback.start({ data });
  const nginx = await Nginx.start({ workers: cpus().length });
  try {
    const range = await extent_of(lookback);
    const path = movie(range.start, range.end);
    const file = join(nginx.www, 'video.mp4');
    const first_after_start = (await download(lookback.url(movie(range.start + 500, range.end)), ['-r', '0-0'])).first_s * 1000;
    execFileSync('curl', ['-s', '-o', file, lookback.url(path)]);
    const bytes = statSync(file).size;
    const times = await first_byte(lookback, range, rounds * 2);
    const idle = resident_bytes(lookback.pids);
    const { results, cpu, peak } = await throughput(lookback, nginx, path, rounds);
    const size = `${(bytes / 1e9).toFixed(2)} GB; ${rounds} rounds`;
    const peer_name = 'nginx, one file, sendfile';
    const seconds_per_gb = (each) => 1e9 / median(each);
    return [
      row({
        what: 'MP4 of 2 h, first byte', unit: 'ms', ours: median(times), goal: 200,
        detail: `worst ${Math.max(...times).toFixed(0)} ms of ${times.length}; the first after the start ${first_after_start.toFixed(0)} ms`,
      }),
      row({
        what: 'MP4 of 2 h, download', unit: 's/GB', ours: seconds_per_gb(results.lookback),
        peer: seconds_per_gb(results.nginx), peer_name, most_ratio: 1.11, detail: size,
      }),
      row({
        what: 'MP4 of 2 h, CPU', unit: 's CPU/GB', ours: median(cpu.lookback), peer: median(cpu.nginx), peer_name, detail: size,
      }),
      row({
        what: 'MP4 of 2 h, memory while it is sent', unit: 'MiB more', ours: (peak - idle) / 2 ** 20, goal: 16,
        detail: `resident ${(idle / 2 ** 20).toFixed(0)} MiB before`,
      }),
    ];
  } finally {
    await lookback.stop();
    await nginx.stop();
  }
}
