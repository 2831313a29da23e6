import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ended } from './wait.mjs';

/** A clip of tests/media. */
export function clip(name) {
  return fileURLToPath(new URL(`../../media/${name}`, import.meta.url));
}

/** FFmpeg, publishing a clip over and over at its own speed. */
export class Publisher {
  #child;
  #output = '';

  /** `outputs`: options and URL of each, where it is not simply all of the clip to `url`. */
  constructor(url, file = clip('sintel_720p24_gop2.mp4'), outputs = undefined) {
    const input = ['-re', '-stream_loop', '-1', '-i', file];
    const simple = () => (url.startsWith('srt:') ? ['-map', '0', '-c', 'copy', '-f', 'mpegts', url] : ['-c', 'copy', '-f', 'flv', url]);
    this.#child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'warning', '-nostdin', ...input, ...(outputs ?? simple())], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#output = (this.#output + text).slice(-20_000)));
    this.#child.once('error', (error) => (this.#output += error.message));
  }

  /** Fails with FFmpeg's own words when it is not publishing any more. */
  assert_running() {
    if (this.#child.exitCode !== null) throw new Error(`ffmpeg ended (${this.#child.exitCode}):\n${this.#output}`);
  }

  /** SIGSTOP: it falls silent without a word. */
  signal(name) {
    this.#child.kill(name);
  }

  /** SIGTERM says goodbye to the server, SIGKILL is a publisher whose machine went away. */
  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended(this.#child);
    clearTimeout(impatient);
  }
}
