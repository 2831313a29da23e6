import './media_chrome';
import Hls from 'hls.js';
import { connect_controls, show_state, start_playing } from './controls';
import { element } from './dom';
import { Player } from './player';
import { Preview } from './preview';

/** What an operator or a test reads in the browser's console; README.md of this folder describes it. */
interface Stats {
  state: string;
  latency: number | null;
  target_latency: number | null;
  position: string | null;
  current_time: number;
  live: boolean;
  stalls: number;
  dropped_frames: number;
  total_frames: number;
  playback_rate: number;
  buffer_ahead: number;
  network_errors: number;
  media_errors: number;
}

declare global {
  interface Window {
    lookback?: { hls: Hls; video: HTMLVideoElement; stats: () => Stats };
  }
}

/** "/watch/live/demo" -> stream "live/demo", page "watch". */
function from_path(path: string): { page: string; stream: string } {
  const [page = '', ...stream] = path.split('/').filter((part) => part !== '');
  return { page, stream: stream.join('/') };
}

function seconds_ahead(video: HTMLVideoElement): number {
  for (let i = 0; i < video.buffered.length; i += 1) {
    const [start, end] = [video.buffered.start(i), video.buffered.end(i)];
    if (start <= video.currentTime && video.currentTime <= end) return end - video.currentTime;
  }
  return 0;
}

function stats(player: Player): Stats {
  const { video, edge } = player;
  const date = player.date_at(video.currentTime);
  const quality = video.getVideoPlaybackQuality();
  return {
    state: player.state,
    latency: player.latency(),
    target_latency: edge.target(),
    position: date === null ? null : new Date(date).toISOString(),
    current_time: video.currentTime,
    live: player.state === 'playing' && edge.is_live(),
    stalls: player.stalls,
    dropped_frames: quality.droppedVideoFrames,
    total_frames: quality.totalVideoFrames,
    playback_rate: video.playbackRate,
    buffer_ahead: seconds_ahead(video),
    network_errors: player.network_errors,
    media_errors: player.media_errors,
  };
}

function start(): void {
  const { page, stream } = from_path(location.pathname);
  const name = decodeURIComponent(stream);
  document.title = `${name} · Lookback`;
  element('name').textContent = name;
  if (page === 'embed') document.body.classList.add('embed');

  if (!Hls.isSupported()) {
    show_state('unsupported');
    return;
  }
  const video = element<HTMLVideoElement>('video');
  const player = new Player(video, `/${stream}/index.m3u8${location.search}`, show_state);
  window.lookback = { hls: player.hls, video, stats: () => stats(player) };
  show_state(player.state);
  connect_controls(player, new Preview(`/${stream}/storyboard.json${location.search}`));
  player.hls.once(Hls.Events.FRAG_BUFFERED, () => void start_playing(video));
}

start();
