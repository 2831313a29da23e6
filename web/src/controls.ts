import { element } from './dom';
import type { Player, State } from './player';
import type { Preview } from './preview';

const step = 10;

const messages: Record<State, { title: string; text: string } | null> = {
  playing: null,
  waiting: { title: 'Waiting for the stream', text: 'It starts here as soon as somebody publishes it.' },
  denied: { title: 'Not allowed', text: 'This stream needs a valid link. Ask whoever sent it to you for a new one.' },
  away: { title: 'The broadcast is interrupted', text: 'It goes on here as soon as it is back. You can rewind meanwhile.' },
  reconnecting: { title: 'Connecting again', text: 'The server does not answer at the moment.' },
  ended: { title: 'The stream has ended', text: 'You can still watch what was recorded.' },
  unsupported: { title: 'This browser cannot play it', text: 'It has no Media Source Extensions.' },
};

const time_format = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const date_format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

function set_text(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** "-1:02:03" for 3723 s behind live. */
function distance(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `-${hours}:${two(minutes)}:${two(whole % 60)}` : `-${minutes}:${two(whole % 60)}`;
}

/** Moves by `seconds` within the replay window; beyond its end is live. */
export function seek_by(player: Player, seconds: number): void {
  const { video } = player;
  if (video.seekable.length === 0) return;
  const behind = player.edge.behind();
  if (seconds > 0 && behind !== null && behind <= seconds) {
    player.edge.go();
    return;
  }
  const earliest = video.seekable.start(0);
  const latest = video.seekable.end(video.seekable.length - 1);
  video.currentTime = Math.min(Math.max(video.currentTime + seconds, earliest), latest);
}

function toggle_play(video: HTMLVideoElement): void {
  if (video.paused) void video.play().catch(() => undefined); // refused without a gesture: it stays paused
  else video.pause();
}

/** Space and K, arrows, L for live, M, F. True when the key was ours. */
function handle_key(player: Player, key: string): boolean {
  const { video } = player;
  switch (key) {
    case ' ':
    case 'k':
      toggle_play(video);
      return true;
    case 'ArrowLeft':
      seek_by(player, -step);
      return true;
    case 'ArrowRight':
      seek_by(player, step);
      return true;
    case 'l':
      player.go_live();
      return true;
    case 'm':
      video.muted = !video.muted;
      return true;
    case 'f':
      element('fullscreen').click();
      return true;
    default:
      return false;
  }
}

/** What a key means there already: a button takes space, the volume takes arrows. */
function is_taken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  const path = event.composedPath().filter((node): node is Element => node instanceof Element);
  const on = (selector: string) => path.some((node) => node.matches(selector));
  if (event.key === ' ') return on('button, a, media-chrome-button, [role=button]');
  return event.key.startsWith('Arrow') && on('media-volume-range');
}

function connect_keys(player: Player): void {
  const on_key = (event: KeyboardEvent) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (is_taken(event) || !handle_key(player, key)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener('keydown', on_key, { capture: true });
}

function connect_buttons(player: Player): void {
  element('live').addEventListener('click', () => player.go_live());
  element('back').addEventListener('click', () => seek_by(player, -step));
  element('forward').addEventListener('click', () => seek_by(player, step));
  element('unmute').addEventListener('click', () => {
    player.video.muted = false;
    if (player.video.volume === 0) player.video.volume = 1;
  });
  player.video.addEventListener('volumechange', () => {
    if (!player.video.muted) element('unmute').hidden = true;
  });
}

/** While the pointer is over the seek bar, its bubble shows the picture there, and names the wall-clock time. */
function connect_preview(player: Player, pictures: Preview): void {
  element('seek').addEventListener('mediapreviewrequest', (event) => {
    const position = (event as CustomEvent<number | null>).detail;
    const date = typeof position === 'number' ? player.date_at(position) : null;
    set_text(element('preview'), date === null ? '' : time_format.format(date));
    pictures.show(date);
  });
}

/** Plays by itself: with sound where the browser allows it, else muted with an offer to unmute. */
export async function start_playing(video: HTMLVideoElement): Promise<void> {
  try {
    await video.play();
  } catch {
    video.muted = true;
    try {
      await video.play();
      element('unmute').hidden = false;
    } catch {
      video.muted = false; // not even muted: the play button is there
    }
  }
}

function show_position(player: Player): void {
  const date = player.date_at(player.video.currentTime);
  const clock = element('clock');
  clock.hidden = date === null;
  if (date !== null) {
    set_text(clock, time_format.format(date));
    clock.title = `${date_format.format(date)} (${new Date(date).toISOString()})`;
  }
}

function show_live(player: Player): void {
  const live = element('live');
  const is_live = player.edge.is_live() && player.state === 'playing';
  const behind = player.edge.behind();
  live.classList.toggle('lit', is_live);
  live.hidden = behind === null && player.state !== 'ended';
  live.setAttribute('aria-pressed', String(is_live));
  live.setAttribute('aria-label', is_live ? 'Live' : 'Go to live');

  const lag = element('latency');
  const latency = player.latency();
  if (is_live && latency !== null) {
    set_text(lag, `${Math.max(0, latency).toFixed(1)} s`);
    lag.title = 'Behind the real world, by the clock of the server';
  } else if (behind !== null && behind >= 1) {
    set_text(lag, distance(behind));
    lag.title = 'Behind live';
  } else {
    set_text(lag, '');
  }
}

/** Shows what `state` means; nothing over a picture that plays. */
export function show_state(state: State): void {
  const message = messages[state];
  document.body.dataset['state'] = state;
  element('message').hidden = message === null;
  if (message === null) return;
  set_text(element('message-title'), message.title);
  set_text(element('message-text'), message.text);
}

/** Binds the page's controls to `player` and keeps its displays up to date. */
export function connect_controls(player: Player, pictures: Preview): void {
  connect_keys(player);
  connect_buttons(player);
  connect_preview(player, pictures);
  window.setInterval(() => {
    show_position(player);
    show_live(player);
  }, 250);
}
