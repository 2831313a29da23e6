// Lookback and its peer, each in a folder of its own on free ports of 127.0.0.1.
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Child, children_of, sleep } from './processes.mjs';
import { build, root } from './programs.mjs';

const lookback_binary = process.env.LOOKBACK_BINARY ?? join(root, 'build', 'release', 'lookback');
const { LOOKBACK_BINARY: _, LOOKBACK_FILL_STORE: __, ...env } = process.env; // no settings of the server
const nginx_rtmp_module = '/usr/lib/nginx/modules/ngx_rtmp_module.so';

const folders = new Set();

function new_folder(name) {
  mkdirSync(build, { recursive: true });
  const folder = mkdtempSync(join(build, `${name}-`));
  folders.add(folder);
  return folder;
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  folders.delete(folder);
}

/** For the end, whatever happened; the servers must have ended. */
export const remove_folders = () => folders.forEach(remove);

async function free_port() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Server {
  /** The processes whose CPU time and memory count. */
  get pids() {
    return [this.process.pid];
  }

  url(path) {
    return `http://${this.http}${path}`;
  }

  /** With `keep_folder` another one can start on its store. */
  async stop({ keep_folder = false } = {}) {
    await this.process.stop();
    if (!keep_folder) remove(this.folder);
  }
}

export class Lookback extends Server {
  name = 'lookback';

  /** A folder for a store that is filled before the server starts on it; removed with the server. */
  static data_folder() {
    return join(new_folder('lookback'), 'data');
  }

  /** `data` is a store that is there already, `streams` more tables of the configuration; `srt`: takes SRT as well. */
  static async start({ part = '334ms', data = null, streams = '', srt = false } = {}) {
    const server = new Lookback();
    server.folder = data ? dirname(data) : new_folder('lookback');
    const config = join(server.folder, 'lookback.toml');
    writeFileSync(config, `
[http]
listen = "127.0.0.1:0"
[rtmp]
listen = "127.0.0.1:0"
[srt]
listen = [${srt ? '"127.0.0.1:0"' : ''}]
[log]
level = "warning"
[store]
path = "${join(server.folder, 'data')}"
reserve = "1MiB"
[defaults]
part = "${part}"
grace = "10m"
${streams}
`);
    server.process = new Child(lookback_binary, ['run', '-c', config], { cwd: server.folder, env });
    const [line, http, rtmp] = await server.process.line(/ready http=(\S+) rtmp=(\S+).*/);
    Object.assign(server, { http, rtmp, srt: line.match(/ srt=([0-9.:]+)/)?.[1] });
    return server;
  }

  srt_url(stream) {
    return `srt://${this.srt}?streamid=publish:live/${stream}`;
  }

  publish_url(stream) {
    return `rtmp://${this.rtmp}/live/${stream}`;
  }

  /** The path of a stream's video playlist, once there is one. */
  async video_playlist(stream, limit_s = 20) {
    const path = `/live/${stream}/index.m3u8`;
    for (const end = Date.now() + limit_s * 1000; Date.now() < end; await sleep(0.05)) {
      const answer = await fetch(this.url(path));
      const text = await answer.text();
      if (!answer.ok) continue;
      const uri = text.split('\n').find((line) => line !== '' && !line.startsWith('#'));
      return new URL(uri, this.url(path)).pathname;
    }
    throw new Error(`no playlist at ${path} within ${limit_s} s`);
  }
}

/** nginx as Debian sets it up (sendfile, tcp_nopush), without access log; optionally with its RTMP module and HLS. */
export class Nginx extends Server {
  name = 'nginx';

  static async start({ rtmp = false, workers = 1 } = {}) {
    const server = new Nginx();
    server.folder = new_folder('nginx');
    mkdirSync(join(server.folder, 'www', 'hls'), { recursive: true });
    server.http = `127.0.0.1:${await free_port()}`;
    if (rtmp) server.rtmp = `127.0.0.1:${await free_port()}`;
    const config = join(server.folder, 'nginx.conf');
    writeFileSync(config, nginx_config(server, workers));
    server.process = new Child('/usr/sbin/nginx', ['-p', server.folder, '-c', config], { quiet: true });
    await server.ready();
    return server;
  }

  async ready() {
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(0.05)) {
      if (await fetch(this.url('/none')).then((answer) => answer.status === 404, () => false)) return;
    }
    throw new Error(`nginx did not answer; see ${this.folder}/error.log`);
  }

  get pids() {
    return [this.process.pid, ...children_of(this.process.pid)];
  }

  get www() {
    return join(this.folder, 'www');
  }

  publish_url(stream) {
    return `rtmp://${this.rtmp}/hls/${stream}`;
  }
}

function nginx_config({ folder, http, rtmp }, workers) {
  const ingest = `
rtmp {
  access_log off;
  server {
    listen ${rtmp};
    application hls {
      live on;
      hls on;
      hls_path ${folder}/www/hls;
      hls_fragment 2s;
      hls_playlist_length 12s;
    }
  }
}`;
  return `
daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes ${workers};
pid ${folder}/pid;
error_log ${folder}/error.log warn;
${rtmp ? `load_module ${nginx_rtmp_module};` : ''}
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  types { application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; video/mp2t ts; }
  server {
    listen ${http};
    root ${folder}/www;
  }
}
${rtmp ? ingest : ''}
`;
}
