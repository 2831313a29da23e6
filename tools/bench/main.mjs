// tools/bench/run: which benchmarks, and how their results are shown.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release } from 'node:os';
import { http } from './lib/http.mjs';
import { ingest } from './lib/ingest.mjs';
import { late } from './lib/late.mjs';
import { latency } from './lib/latency.mjs';
import { memory } from './lib/memory.mjs';
import { mp4 } from './lib/mp4.mjs';
import { pictures } from './lib/pictures.mjs';
import { kill_all } from './lib/processes.mjs';
import { compile } from './lib/programs.mjs';
import { table } from './lib/report.mjs';
import { remove_folders } from './lib/servers.mjs';
import { srt } from './lib/srt.mjs';
import { startup } from './lib/startup.mjs';
import { viewers } from './lib/viewers.mjs';
import { window } from './lib/window.mjs';

const benchmarks = { ingest, srt, late, startup, latency, viewers, http, memory, mp4, pictures, window };

function machine() {
  const version = (command, ...words) =>
    execFileSync('sh', ['-c', `${[command, ...words].join(' ')} 2>&1 | head -n 1`], { encoding: 'utf8' }).trim();
  return {
    cpu: cpus()[0].model.trim(),
    cpus: cpus().length,
    kernel: release(),
    load_average: loadavg().map((each) => Number(each.toFixed(1))),
    peers: [version('/usr/sbin/nginx', '-v'), version('ffmpeg', '-version')],
  };
}

/** tools/bench/run has checked the words. */
function arguments_of(words) {
  const named = words.filter((word) => word in benchmarks);
  const chosen = named.length === 0 || words.includes('all') ? Object.keys(benchmarks) : named;
  return { quick: words.includes('--quick'), json: words.includes('--json'), chosen };
}

const { quick, json, chosen } = arguments_of(process.argv.slice(2));
process.on('exit', () => {
  kill_all();
  remove_folders();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));
const about = machine();
const results = {};
await compile();
for (const name of chosen) {
  results[name] = await benchmarks[name]({ quick });
  if (!json) console.log(`\n${table(results[name])}`);
}
if (json) console.log(JSON.stringify({ machine: about, quick, results }, null, 2));
else console.log(`\n${about.cpus} x ${about.cpu}, Linux ${about.kernel}; load before ${about.load_average.join(' ')}`);
