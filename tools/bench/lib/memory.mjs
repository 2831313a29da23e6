// Resident memory for each stream, and for each client whose playlist request waits.
import { connect } from 'node:net';
import { resident_bytes, sleep } from './processes.mjs';
import { clip } from './programs.mjs';
import { Publisher, names } from './publisher.mjs';
import { progress, row } from './report.mjs';
import { Lookback, Nginx } from './servers.mjs';

const streams = 30;
const waiting = 2000;

/** Bytes per stream after `seconds` of all of them. */
async function per_stream(start, seconds) {
  const server = await start();
  try {
    const before = resident_bytes(server.pids);
    const publisher = new Publisher(await clip(), names(streams).map((name) => server.publish_url(name)));
    try {
      await sleep(seconds);
      publisher.check();
      return (resident_bytes(server.pids) - before) / streams;
    } finally {
      await publisher.stop();
    }
  } finally {
    await server.stop();
  }
}

/** What a reload must wait for: the first part that `text` does not list. */
function next_position(text) {
  const lines = text.split('\n');
  let msn = Number(text.match(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m)[1]);
  let part = 0;
  for (const line of lines) {
    if (line.startsWith('#EXT-X-PART:')) ++part;
    if (line !== '' && !line.startsWith('#')) [msn, part] = [msn + 1, 0];
  }
  return `_HLS_msn=${msn}&_HLS_part=${part}`;
}

async function open(port) {
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** Bytes per blocked playlist reload, of a stream whose publisher has left so that nothing wakes them. */
async function per_waiting_client() {
  const server = await Lookback.start();
  const sockets = [];
  try {
    const publisher = new Publisher(await clip(), [server.publish_url('s')]);
    await sleep(8);
    publisher.check();
    await publisher.stop();
    const path = await server.video_playlist('s');
    const text = await (await fetch(server.url(path))).text();
    const request = `GET ${path}?${next_position(text)}&_HLS_skip=YES HTTP/1.1\r\nHost: bench\r\n\r\n`;
    await sleep(1);
    const before = resident_bytes(server.pids);
    const port = Number(server.http.split(':').at(-1));
    let answered = 0;
    for (let i = 0; i < waiting; ++i) {
      const socket = await open(port);
      socket.on('data', () => ++answered).on('error', () => ++answered);
      socket.write(request);
      sockets.push(socket);
    }
    await sleep(0.5);
    const bytes = (resident_bytes(server.pids) - before) / waiting;
    if (answered > 0) throw new Error(`${answered} of ${waiting} clients did not wait`);
    return bytes;
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

export async function memory({ quick }) {
  const seconds = quick ? 15 : 60;
  const ours = (await per_stream(() => Lookback.start(), seconds)) / 2 ** 20;
  const peer = (await per_stream(() => Nginx.start({ rtmp: true }), seconds)) / 2 ** 20;
  progress(`memory per stream: lookback ${ours.toFixed(2)} MiB, nginx ${peer.toFixed(2)} MiB`);
  const client = (await per_waiting_client()) / 2 ** 10;
  progress(`memory per waiting client: ${client.toFixed(1)} KiB`);
  return [
    row({
      what: `memory per stream, ${streams} streams`,
      unit: 'MiB',
      ours,
      peer,
      peer_name: 'nginx-rtmp, HLS on',
      goal: 8,
      detail: `after ${seconds} s`,
    }),
    row({ what: `memory per waiting client, ${waiting} clients`, unit: 'KiB', ours: client, goal: 32 }),
  ];
}
