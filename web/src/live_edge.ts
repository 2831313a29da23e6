import type Hls from 'hls.js';
import type { LevelDetails } from 'hls.js';

/** Within this distance of the goal (s) the viewer counts as live: LIVE is lit and the rate closes the gap. */
const live_within = 2;
/** A viewer who follows the edge and fell further behind (s) is taken back to it. */
const jump_beyond = 4;
/** The playback rate stays within 1 +- this, which is not heard. */
const max_trim = 0.08;
/** Gap (s) that is left alone. */
const dead_band = 0.06;
/**
 * How much further (s) than PART-HOLD-BACK the goal is from the edge: a busy computer is not to be heard. Each stall adds
 * `stall_margin`, up to `most_margin`; it comes back at `margin_decay` s per second.
 */
const least_margin = 0.25;
const stall_margin = 0.3;
const most_margin = 2;
const margin_decay = 0.01;

/**
 * Keeps a viewer who follows the live edge near the goal, without stalls, and leaves everybody else alone.
 *
 * The goal is PART-HOLD-BACK and a margin behind the edge; a stall that the network caused makes the margin larger for a
 * while. Too far behind: play a little faster. Too close, as after an interruption, when the first new part is played the
 * moment it is there: play a little slower until the buffer is whole again.
 */
export class LiveEdge {
  private follows = true;
  private own_seek = false;
  private margin = least_margin;
  private steered = performance.now();

  constructor(
    private readonly hls: Hls,
    private readonly video: HTMLVideoElement,
  ) {
    video.addEventListener('seeking', () => this.on_seeking());
    video.addEventListener('pause', () => (this.follows = false));
    video.addEventListener('timeupdate', () => this.steer());
  }

  /** Seconds behind the goal; negative: closer to the edge. Null without a live playlist. */
  behind(): number | null {
    const goal = this.goal();
    return goal === null ? null : goal - this.video.currentTime;
  }

  /** The distance from the edge that is aimed at, in seconds; null without a live playlist. */
  target(): number | null {
    const target = this.hls.targetLatency;
    return target === null ? null : target + this.margin;
  }

  /** The buffer ran dry: stays a little further from the edge for a while. */
  on_stall(): void {
    const details = this.live_details();
    const is_fresh = details !== null && details.age < 3 * this.step(details);
    if (is_fresh) this.margin = Math.min(this.margin + stall_margin, most_margin);
  }

  /** True when the viewer sees what is live. */
  is_live(): boolean {
    const behind = this.behind();
    return behind !== null && behind < live_within && !this.video.paused;
  }

  /** Goes to the edge and follows it. */
  go(): void {
    this.follows = true;
    const goal = this.goal();
    if (goal === null) return;
    this.own_seek = true;
    this.video.currentTime = goal;
  }

  /** The first position is the edge again (a source was loaded anew). */
  reset(): void {
    this.follows = true;
    this.video.playbackRate = 1;
  }

  /** Whether the viewer wants the edge, also while there is nothing to see there. */
  follows_edge(): boolean {
    return this.follows;
  }

  private live_details(): LevelDetails | null {
    const details = this.hls.latestLevelDetails;
    return details?.live ? details : null;
  }

  /** Where the edge is now: it moves on between two playlists, but not while the publisher is away. */
  private edge(details: LevelDetails): number {
    return details.edge + Math.min(Math.max(details.age, 0), this.step(details));
  }

  /** How often the edge moves: a part where there are parts. */
  private step(details: LevelDetails): number {
    return details.partTarget || details.targetduration;
  }

  private goal(): number | null {
    const details = this.live_details();
    const target = this.target();
    if (!details || target === null) return null;
    return Math.max(details.fragmentStart, this.edge(details) - target);
  }

  private on_seeking(): void {
    if (this.own_seek) {
      this.own_seek = false;
      return;
    }
    const behind = this.behind();
    this.follows = behind !== null && behind < live_within;
  }

  private steer(): void {
    const now = performance.now();
    this.margin = Math.max(least_margin, this.margin - ((now - this.steered) / 1000) * margin_decay);
    this.steered = now;
    const behind = this.behind();
    if (behind === null || this.video.paused || this.video.seeking) {
      this.video.playbackRate = 1;
      return;
    }
    if (behind < live_within) this.follows = true;
    if (!this.follows) {
      this.video.playbackRate = 1;
    } else if (behind > jump_beyond) {
      this.go();
    } else {
      this.video.playbackRate = Math.abs(behind) < dead_band ? 1 : 1 + trim(behind);
    }
  }
}

function trim(behind: number): number {
  return Math.round(Math.max(-max_trim, Math.min(max_trim, behind * 0.3)) * 100) / 100;
}
