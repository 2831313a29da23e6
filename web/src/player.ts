import Hls, { ErrorTypes, Events } from 'hls.js';
import type { ErrorData, LevelDetails, LoaderStats } from 'hls.js';
import { ServerClock } from './clock';
import { hls_options } from './hls_options';
import { LiveEdge } from './live_edge';

/** What the viewer is told. */
export type State =
  | 'waiting' // the stream is not there (yet): asked again every 2 s
  | 'denied' // the server wants another token
  | 'playing' // live or replay, also while paused
  | 'away' // the publisher is gone for now; the live edge stands still
  | 'reconnecting' // the server does not answer
  | 'ended' // ENDLIST: what is left can still be seen
  | 'unsupported'; // no Media Source Extensions

const ask_again_ms = 2000;
const ask_again_denied_ms = 10_000;
const look_for_return_ms = 5000;
/** Nothing has moved for this long although there is media ahead: the decoder is started anew. */
const stuck_after_ms = 6000;
const longest_pause_ms = 15_000;

/** One stream in one video element, kept running through everything that passes by itself. */
export class Player {
  readonly hls = new Hls(hls_options);
  readonly clock = new ServerClock();
  readonly edge: LiveEdge;
  stalls = 0;
  network_errors = 0;
  media_errors = 0;

  private current: State = 'waiting';
  private timer = 0;
  private failures = 0;
  private last_repair = -Infinity;
  private answered = performance.now();
  private moved = { at: performance.now(), position: -1 };
  private resume_at: number | null = null;
  private has_played = false;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly source: string,
    private readonly on_state: (state: State) => void,
  ) {
    this.edge = new LiveEdge(this.hls, video);
    this.listen_to_hls();
    this.listen_to_video();
    this.hls.attachMedia(video);
    this.hls.loadSource(source);
    window.setInterval(() => this.check(), 500);
  }

  get state(): State {
    return this.current;
  }

  /** Goes to the live edge and plays; after the end of the stream, to its return. */
  go_live(): void {
    if (this.current === 'ended') this.reload();
    this.edge.go();
    void this.video.play().catch(() => undefined); // refused without a gesture: the play button stays
  }

  /** The date (ms since 1970) of a position in the video, from EXT-X-PROGRAM-DATE-TIME; null without one. */
  date_at(position: number): number | null {
    const fragments = this.hls.latestLevelDetails?.fragments ?? [];
    const fragment = fragments.find(({ end }) => position < end) ?? fragments.at(-1);
    if (!fragment?.programDateTime) return null;
    return fragment.programDateTime + (position - fragment.start) * 1000;
  }

  /** Seconds from the presentation's date to the server's now; null without dates. */
  latency(): number | null {
    const date = this.date_at(this.video.currentTime);
    return date === null || !this.has_played ? null : (this.clock.now() - date) / 1000;
  }

  private set(state: State): void {
    if (state === this.current) return;
    this.current = state;
    this.on_state(state);
  }

  private listen_to_hls(): void {
    this.hls.on(Events.MANIFEST_LOADED, (_, data) => this.learn(data.networkDetails, data.stats));
    this.hls.on(Events.LEVEL_LOADED, (_, data) => {
      this.learn(data.networkDetails, data.stats);
      this.answered = performance.now();
    });
    this.hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.on_details(details));
    this.hls.on(Events.FRAG_BUFFERED, () => (this.failures = 0));
    this.hls.on(Events.ERROR, (_, data) => this.on_error(data));
  }

  private listen_to_video(): void {
    const { video } = this;
    video.addEventListener('playing', () => (this.has_played = true));
    video.addEventListener('waiting', () => {
      if (!this.has_played || video.seeking || video.paused || this.current !== 'playing') return;
      this.stalls += 1;
      this.edge.on_stall();
    });
  }

  private learn(answer: unknown, stats: LoaderStats): void {
    if (!(answer instanceof XMLHttpRequest)) return;
    const { start, first } = stats.loading;
    this.clock.learn(answer.getResponseHeader('Date'), answer.getResponseHeader('Age'), start, first);
  }

  private on_details(details: LevelDetails): void {
    if (!details.live) {
      this.set('ended');
      this.look_for_return(details.url);
    } else if (this.current !== 'away' && this.current !== 'reconnecting') {
      this.set('playing'); // check() tells when those two are over: an old playlist is no picture
    }
    if (this.resume_at !== null) this.restore(details, this.resume_at);
  }

  /** After a reload: goes back to the date that was seen. */
  private restore(details: LevelDetails, date: number): void {
    this.resume_at = null;
    const seen = details.fragments.find((f) => (f.programDateTime ?? 0) + f.duration * 1000 > date);
    if (seen?.programDateTime) this.video.currentTime = seen.start + Math.max(0, date - seen.programDateTime) / 1000;
  }

  private on_error(data: ErrorData): void {
    if (data.type === ErrorTypes.NETWORK_ERROR) this.network_errors += 1;
    if (data.type === ErrorTypes.MEDIA_ERROR && data.fatal) this.media_errors += 1;
    if (!data.fatal) return;
    if (data.details.startsWith('manifest')) {
      this.wait_for_stream(data.response?.code ?? 0);
    } else if (data.type === ErrorTypes.MEDIA_ERROR) {
      this.later(this.pause_before_next(), () => this.repair());
    } else {
      this.later(this.pause_before_next(), () => (this.failures > 3 ? this.reload() : this.hls.startLoad()));
    }
  }

  /** The multivariant playlist could not be had: says why, and asks again. */
  private wait_for_stream(status: number): void {
    const denied = status === 401 || status === 403;
    this.set(denied ? 'denied' : status === 404 || !this.has_played ? 'waiting' : 'reconnecting');
    this.later(denied ? ask_again_denied_ms : ask_again_ms, () => this.hls.loadSource(this.source));
  }

  /** 0.5 s, 1 s, 2 s, … while nothing succeeds in between. */
  private pause_before_next(): number {
    this.failures += 1;
    return Math.min(250 * 2 ** this.failures, longest_pause_ms);
  }

  private later(ms: number, what: () => void): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(what, ms);
  }

  /** Starts the decoder anew at the same position; once in a while only. */
  private repair(): void {
    if (this.failures > 3) {
      this.reload();
      return;
    }
    this.last_repair = performance.now();
    this.hls.recoverMediaError();
    void this.video.play().catch(() => undefined); // refused without a gesture: the play button stays
  }

  /** Reads the multivariant playlist again: tracks may have changed. A viewer who went back stays at that date. */
  private reload(): void {
    this.resume_at = this.edge.follows_edge() || this.current === 'ended' ? null : this.date_at(this.video.currentTime);
    this.last_repair = performance.now();
    this.edge.reset();
    this.hls.loadSource(this.source);
  }

  /** A stream that ended may be published again: looks every 5 s, and goes on when the viewer has seen the end. */
  private look_for_return(playlist: string): void {
    this.later(look_for_return_ms, async () => {
      if (this.current !== 'ended') return;
      const text = await fetch(playlist, { cache: 'no-store' }).then(
        (answer) => (answer.ok ? answer.text() : null),
        () => null, // not reachable now: the next look tells
      );
      const is_back = text !== null && text.startsWith('#EXTM3U') && !text.includes('#EXT-X-ENDLIST');
      if (is_back && this.video.ended) this.go_live();
      else this.look_for_return(playlist);
    });
  }

  /**
   * Ends the media when its last picture was shown. hls.js does so itself, but for a low-latency stream only when the last
   * part of each track lies within the shorter track.
   */
  private finish(details: LevelDetails | null): void {
    const { video } = this;
    const { buffered } = video;
    if (!details || video.ended || video.seeking || buffered.length === 0) return;
    const end = buffered.end(buffered.length - 1);
    if (end > details.edge - 0.5 && video.currentTime > end - 0.2) this.hls.trigger(Events.BUFFER_EOS, { type: null });
  }

  /** Twice a second: is the publisher there, does the server answer, does the picture move? */
  private check(): void {
    const { video } = this;
    const now = performance.now();
    if (video.currentTime !== this.moved.position || video.paused) this.moved = { at: now, position: video.currentTime };
    const details = this.hls.latestLevelDetails;
    if (this.current === 'ended') this.finish(details);
    if (!details?.live || this.current === 'waiting' || this.current === 'denied') return;

    const silent_ms = now - this.answered;
    const starved = video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (silent_ms > 5000 + details.targetduration * 3000) this.set('reconnecting');
    else if (starved && details.age > Math.max(1.5, details.partTarget * 3)) this.set('away');
    else if (!starved) this.set('playing');

    const ahead = details.edge - video.currentTime;
    const may_repair = now - this.last_repair > longest_pause_ms;
    if (now - this.moved.at > stuck_after_ms && ahead > details.targetduration && may_repair) {
      this.failures += 1;
      this.repair();
    }
  }
}
