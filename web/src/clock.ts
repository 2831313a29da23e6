/**
 * The server's clock, learnt from the Date fields of its answers (whole seconds) to well under a second.
 *
 * An answer that was asked for at `asked` and began to arrive at `arrived` (both on performance.now()'s scale, ms), with
 * `Date: D`, was dated somewhere between the two, when the server's clock showed a time in [D, D + 1 s). So
 * D - arrived <= offset < D + 1 s - asked. Every answer narrows that interval; the middle of what is left is the estimate.
 */
export class ServerClock {
  private low = -Infinity;
  private high = Infinity;

  /** Takes one answer into account. `age` is its Age field in seconds, when a cache kept it. */
  learn(date: string | null, age: string | null, asked: number, arrived: number): void {
    const dated = date ? Date.parse(date) : NaN;
    if (!Number.isFinite(dated) || arrived < asked) return;
    const aged = age === null ? NaN : Number(age);
    const shown = Number.isFinite(aged) ? dated + aged * 1000 : dated;
    const resolution = Number.isFinite(aged) ? 2000 : 1000;
    const low = shown - arrived;
    const high = shown + resolution - asked;
    if (low > this.high || high < this.low) {
      this.low = low; // one of the clocks was set: begin anew
      this.high = high;
    } else {
      this.low = Math.max(this.low, low);
      this.high = Math.min(this.high, high);
    }
  }

  /** Now on the server's clock, in ms since 1970; this machine's clock until an answer came. */
  now(): number {
    if (!Number.isFinite(this.low) || !Number.isFinite(this.high)) return Date.now();
    return performance.now() + (this.low + this.high) / 2;
  }
}
