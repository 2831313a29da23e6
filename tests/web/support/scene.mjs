import { Browser } from './browser.mjs';
import { Publisher } from './publisher.mjs';
import { Server } from './server.mjs';

/**
 * Runs `play` with a server, a browser and a way to start publishers, and ends all of them whatever happens;
 * `keep` takes what else has to be stopped.
 * `defaults`: lines for the configuration's [defaults]; `srt`: transport streams can be published by SRT, too.
 */
export async function scene({ defaults = '', srt = false, browser: options = {} }, play) {
  const started = [];
  const keep = (thing) => (started.unshift(thing), thing);
  try {
    const server = keep(await Server.start(defaults, { srt }));
    const browser = keep(await Browser.start(options));
    const publish = (stream, file) => keep(new Publisher(server.publish_url(stream), file));
    const publish_ts = (stream, file) => keep(new Publisher(server.srt_url(stream), file));
    const publish_all = (file, outputs) => keep(new Publisher(undefined, file, outputs));
    await play({ server, browser, publish, publish_ts, publish_all, keep });
  } finally {
    const failures = [];
    for (const thing of started) await thing.stop().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }
}
