// What a server's CPU costs for each stream that it takes in.
import { cpu_s, sleep } from './processes.mjs';
import { Publisher } from './publisher.mjs';

/** Percent of one core per stream of `urls`, each fed with `source`, over `seconds` behind `warm_up_s`. */
export async function cost_per_stream(server, source, urls, warm_up_s, seconds) {
  const publisher = new Publisher(source, urls);
  try {
    await sleep(warm_up_s);
    const [cpu, time] = [cpu_s(server.pids), performance.now()];
    await sleep(seconds);
    const used = cpu_s(server.pids) - cpu;
    const passed = (performance.now() - time) / 1000;
    publisher.check();
    return (100 * used) / passed / urls.length;
  } finally {
    await publisher.stop();
  }
}
