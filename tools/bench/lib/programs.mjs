// What the benchmarks need before they start: their own programs and the clips, made once and kept in build/bench.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

export const bench = dirname(dirname(fileURLToPath(import.meta.url)));
export const root = dirname(dirname(bench));
export const build = join(root, 'build', 'bench');

const headers = ['lib/http.hpp', 'lib/live_playlist.hpp'];
const sources = {
  ll_viewers: { files: ['ll_viewers.cpp', ...headers], packages: [] },
  part_follower: { files: ['part_follower.cpp', ...headers], packages: [] },
  srt_sink: { files: ['srt_sink.cpp'], packages: ['srt'] },
  paced_publisher: { files: ['paced_publisher.cpp'], packages: ['libavformat', 'libavcodec', 'libavutil'] },
};

const written = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** Compiles the programs whose sources are newer. */
export async function compile() {
  mkdirSync(build, { recursive: true });
  for (const [name, { files, packages }] of Object.entries(sources)) {
    const paths = files.map((file) => join(bench, file));
    if (written(program(name)) > Math.max(...paths.map(written))) continue;
    const flags = packages.length > 0 ? pkg_config(packages) : [];
    const words = ['-std=c++20', '-O2', '-Wall', '-Wextra', '-pthread', '-I', bench, paths[0]];
    await run('g++', [...words, '-o', `${program(name)}.new`, ...flags]);
    renameSync(`${program(name)}.new`, program(name));
  }
}

/** Part of the project's own build, as it stands on its packager and store. */
export const fill_store = () => process.env.LOOKBACK_FILL_STORE ?? join(root, 'build', 'release', 'fill_store');

export const program = (name) => join(build, name);

function pkg_config(packages) {
  const text = execFileSync('pkg-config', ['--cflags', '--libs', ...packages], { encoding: 'utf8' });
  return text.trim().split(/\s+/);
}

/**
 * 16 s of 720p30 H.264 at 3 Mbit/s with sync samples every 2 s, and AAC. A test pattern with noise: as hard
 * to compress as a camera's picture. 16 s are whole AAC frames, so that the clip can be repeated without a seam.
 */
export async function clip({ b_frames = 0 } = {}) {
  const path = join(build, `720p30-3M-b${b_frames}.mp4`);
  if (existsSync(path)) return path;
  const part = `${path}.part.mp4`;
  await run('ffmpeg', [
    '-nostdin', '-v', 'error', '-y',
    ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t,format=yuv420p'],
    ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000', '-t', '16'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '3M', '-maxrate', '3M', '-bufsize', '3M'],
    ...['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-bf', String(b_frames), '-c:a', 'aac', '-b:a', '128k'],
    part,
  ]);
  renameSync(part, path);
  return path;
}

/** 32 s of a picture that hardly needs bytes, for windows of a day: their number of segments matters. */
export async function small_clip() {
  const path = join(build, '64p10-small.mp4');
  if (existsSync(path)) return path;
  const part = `${path}.part.mp4`;
  await run('ffmpeg', [
    '-nostdin', '-v', 'error', '-y',
    ...['-f', 'lavfi', '-i', 'color=gray:size=96x64:rate=10', '-f', 'lavfi', '-i', 'anullsrc=sample_rate=48000:cl=mono'],
    ...['-t', '32', '-c:v', 'libx264', '-g', '20', '-keyint_min', '20', '-sc_threshold', '0', '-bf', '0'],
    ...['-c:a', 'aac', '-b:a', '16k', part],
  ]);
  renameSync(part, path);
  return path;
}

export const frame_s = 1 / 30;
export const gop_frames = 60;
