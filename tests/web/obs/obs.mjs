import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clip } from '../support/publisher.mjs';
import { ended, until } from '../support/wait.mjs';
import { collection, global, profile, service } from './settings.mjs';

const start_key = 'F11';
const stop_key = 'F12';

/** Keeps the end of what a child process says. */
function listen(child) {
  const said = { text: '' };
  const collect = (text) => (said.text = (said.text + text).slice(-50_000));
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  child.once('error', (error) => collect(error.message));
  return said;
}

/** Ends a child process, with SIGKILL when it takes too long. */
async function end(child) {
  if (child.pid === undefined) return; // it never started
  child.kill('SIGTERM');
  const impatient = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended(child);
  clearTimeout(impatient);
}

/** OBS Studio on a screen of its own (Xvfb), with a home of its own; it streams a looping clip when it starts. */
export class Obs {
  #home = mkdtempSync(join(tmpdir(), 'lookback-obs-'));
  #screen = null;
  #display = '';
  #child = null;
  #said = { text: '' };

  /** `url`: as for any publisher, "rtmp://HOST:PORT/live/NAME", which OBS has in two fields, or "srt://...". */
  static async start(url) {
    const obs = new Obs();
    try {
      obs.#configure(url);
      await obs.#open_screen();
      await obs.run();
      return obs;
    } catch (error) {
      await obs.stop();
      throw error;
    }
  }

  /** Starts the program, again after a crash; resolves when it is connected to the server. */
  async run() {
    const flags = ['--multi', '--minimize-to-tray', '--startstreaming', '--disable-missing-files-check', '--disable-shutdown-check'];
    this.#child = spawn('obs', flags, { stdio: ['ignore', 'pipe', 'pipe'], env: this.#environment() });
    this.#said = listen(this.#child);
    await this.#says('Streaming Start');
  }

  /** "Stop Streaming" by its hotkey. */
  stop_streaming() {
    return this.#press(stop_key, 'Streaming Stop');
  }

  /** "Start Streaming" by its hotkey; resolves when it is connected to the server. */
  start_streaming() {
    return this.#press(start_key, 'Streaming Start');
  }

  /** As when its machine loses power: no goodbye. */
  async crash() {
    this.#child.kill('SIGKILL');
    await ended(this.#child);
  }

  /** Ends everything and removes its files. */
  async stop() {
    for (const child of [this.#child, this.#screen]) if (child) await end(child);
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Waits for a line of OBS's log. */
  #says(line, probe = () => {}) {
    return until(`OBS says "${line}"`, async () => {
      const end = this.#child.exitCode ?? this.#child.signalCode;
      if (end !== null) throw new Error(`OBS ended (${end})`);
      return this.#said.text.includes(line) || (await probe(), false);
    }, 60_000).catch((error) => {
      throw new Error(`${error.message}\n${this.#said.text}`);
    });
  }

  /**
   * Presses a hotkey until OBS says `line`. Once may not be enough: OBS looks at the keyboard every 25 ms when it
   * gets to it, and takes no "Start" before its last stop is over. A further press of the same key changes nothing.
   */
  async #press(key, line) {
    this.#said.text = '';
    await this.#says(line, async () => {
      this.#keyboard('keydown', key);
      await new Promise((resolve) => setTimeout(resolve, 250));
      this.#keyboard('keyup', key);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    });
  }

  #keyboard(...what) {
    const done = spawnSync('xdotool', what, { env: this.#environment(), encoding: 'utf8', timeout: 10_000 });
    if (done.status !== 0) throw new Error(`xdotool ${what.join(' ')}: ${done.error?.message ?? done.stderr}`);
  }

  #environment() {
    return {
      PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: this.#home, XDG_RUNTIME_DIR: this.#home, DISPLAY: this.#display,
      QT_QPA_PLATFORM: 'xcb', LIBGL_ALWAYS_SOFTWARE: '1',
    };
  }

  #configure(url) {
    const key_at = url.startsWith('srt:') ? url.length : url.lastIndexOf('/');
    const settings = join(this.#home, '.config/obs-studio');
    const ours = join(settings, 'basic/profiles/Lookback');
    mkdirSync(ours, { recursive: true });
    mkdirSync(join(settings, 'basic/scenes'));
    writeFileSync(join(settings, 'global.ini'), global);
    writeFileSync(join(ours, 'basic.ini'), profile({ start_key, stop_key }));
    writeFileSync(join(ours, 'service.json'), service(url.slice(0, key_at), url.slice(key_at + 1)));
    writeFileSync(join(settings, 'basic/scenes/Lookback.json'), collection(clip('sintel_360p24_gop2.mp4')));
  }

  /** Xvfb chooses a free display and writes its number to descriptor 3 when it is ready. */
  async #open_screen() {
    const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#screen = screen;
    const said = listen(screen);
    let number = '';
    screen.stdio[3].setEncoding('utf8').on('data', (text) => (number += text));
    await until('Xvfb is ready', () => {
      if (screen.exitCode !== null || screen.pid === undefined) throw new Error(`Xvfb ended:\n${said.text}`);
      return number.includes('\n');
    });
    this.#display = `:${number.trim()}`;
  }
}
