import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ended, until } from './wait.mjs';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const binary = resolve(process.env.LOOKBACK_BINARY ?? join(repository, 'build/release/lookback'));

/** A `lookback run` of its own, with a store of its own; ports are chosen by the system and kept over a restart. */
export class Server {
  #folder = mkdtempSync(join(tmpdir(), 'lookback-web-'));
  #child = null;
  #output = '';
  #http = '127.0.0.1:0';
  #rtmp = '127.0.0.1:0';
  #srt = '127.0.0.1:0';

  /** `defaults`: lines for the configuration's [defaults]. `srt`: takes publishers by SRT, too. */
  static async start(defaults = '', { srt = false } = {}) {
    const server = new Server();
    server.defaults = defaults;
    server.takes_srt = srt;
    await server.run();
    return server;
  }

  get origin() {
    return `http://${this.#http}`;
  }

  /** Where a publisher sends `stream`, for example "live/demo". */
  publish_url(stream) {
    return `rtmp://${this.#rtmp}/${stream}`;
  }

  /** The same by SRT, where it was started with that. */
  srt_url(stream) {
    return `srt://${this.#srt}?streamid=publish:${stream}`;
  }

  /** What it has said since it was started last. */
  get log() {
    return this.#output;
  }

  /** Starts the process, again on the same ports after the first time, and waits until it is ready. */
  async run() {
    const config = join(this.#folder, 'lookback.toml');
    writeFileSync(config, this.#configuration());
    this.#output = '';
    const child = spawn(binary, ['run', '-c', config], { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder });
    this.#child = child;
    const collect = (text) => (this.#output = (this.#output + text).slice(-100_000));
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    let failure = null;
    child.once('error', (error) => (failure = error));
    child.once('exit', (code, signal) => (failure ??= new Error(`the server ended (${code ?? signal})`)));
    await until('the server is ready', () => {
      if (failure) throw new Error(`${binary}: ${failure.message}\n${this.#output}`);
      return this.#read_ports();
    });
  }

  /** Ends it as a power switch would. */
  async kill() {
    this.#child.kill('SIGKILL');
    await ended(this.#child);
  }

  /** Ends it for good and removes its files. */
  async stop() {
    if (this.#child) {
      this.#child.kill('SIGTERM');
      const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
      await ended(this.#child);
      clearTimeout(impatient);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #configuration() {
    return `[http]
listen = "${this.#http}"
[rtmp]
listen = "${this.#rtmp}"
[srt]
listen = ${this.takes_srt ? `["${this.#srt}"]` : '[]'}
[store]
path = "${join(this.#folder, 'data')}"
reserve = "64MiB"
[defaults]
${this.defaults}
`;
  }

  #read_ports() {
    const line = this.#output.split('\n').find((text) => /\bready\b/.test(text) && /http=/.test(text));
    const http = line?.match(/http=(127\.0\.0\.1:\d+)/)?.[1];
    const rtmp = line?.match(/rtmp=(127\.0\.0\.1:\d+)/)?.[1];
    const srt = line?.match(/srt=(127\.0\.0\.1:\d+)/)?.[1];
    if (!http || !rtmp || (this.takes_srt && !srt)) return false;
    this.#srt = srt ?? this.#srt;
    this.#http = http;
    this.#rtmp = rtmp;
    return true;
  }
}
