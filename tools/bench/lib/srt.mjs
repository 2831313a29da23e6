// CPU of taking in and storing SRT streams, against a program that only receives them with the same libsrt.
import { cost_per_stream } from './cost.mjs';
import { Child } from './processes.mjs';
import { clip, program } from './programs.mjs';
import { names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback } from './servers.mjs';
import { median } from './stats.mjs';

const passphrase = 'passphrase-of-the-benchmark'; // FFmpeg takes it out of the URL as it is
/** As long as the server lets datagrams gather, so that both wake up as often. */
const gather_ms = 5;
const warm_up_s = 15;

/** What only receives; the same shape as a server. */
async function start_sink(encrypted) {
  const words = ['--gather', String(gather_ms), ...(encrypted ? ['--passphrase', passphrase] : [])];
  const process = new Child(program('srt_sink'), words);
  const [, srt] = await process.line(/ready (\S+)/);
  return { name: 'libsrt', pids: [process.pid], srt, stop: () => process.stop() };
}

const start_lookback = (encrypted) =>
  Lookback.start({ srt: true, streams: encrypted ? `[streams."live/*"]\nsrt.passphrase = "${passphrase}"` : '' });

function urls_of(server, count, encrypted) {
  const more = encrypted ? `&pbkeylen=16&passphrase=${passphrase}` : '';
  return names(count).map((name) => `srt://${server.srt}?streamid=publish:live/${name}${more}`);
}

/** Both, one right after the other. */
async function round(source, count, encrypted, seconds) {
  const costs = {};
  for (const start of [start_lookback, start_sink]) {
    const server = await start(encrypted);
    try {
      const urls = urls_of(server, count, encrypted);
      costs[server.name] = await cost_per_stream(server, source, urls, warm_up_s, seconds);
    } finally {
      await server.stop();
    }
  }
  const ratio = (costs.lookback / costs.libsrt).toFixed(3);
  progress(
    `srt, ${count} streams${encrypted ? ', AES-128' : ''}: lookback ${costs.lookback.toFixed(3)} %, ` +
      `libsrt ${costs.libsrt.toFixed(3)} %, ratio ${ratio}`,
  );
  return costs;
}

export async function srt({ quick }) {
  const source = await clip();
  const rows = [];
  for (const encrypted of [false, true]) {
    for (const count of quick ? [30] : [10, 30]) {
      const rounds = [];
      for (let i = 0; i < (quick ? 1 : 5); ++i) rounds.push(await round(source, count, encrypted, quick ? 8 : 15));
      rows.push(
        row({
          what: `SRT CPU per stream, ${count} x 3 Mbit/s${encrypted ? ', AES-128' : ''}`,
          unit: '% of a core',
          ours: median(rounds.map((each) => each.lookback)),
          peer: median(rounds.map((each) => each.libsrt)),
          peer_name: 'libsrt, srt_recvmsg only',
          most_ratio: 1.15,
          detail: `${rounds.length} rounds, median of their ratios ${median(rounds.map((each) => each.lookback / each.libsrt)).toFixed(3)}`,
        }),
      );
    }
  }
  return rows;
}
