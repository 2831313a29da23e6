import { element } from './dom';

/** One picture of the storyboard: a cell of a sprite sheet, from a time on (ms since 1970). */
interface Tile {
  start: number;
  url: string;
  x: number;
  y: number;
}

interface Storyboard {
  tile_width: number;
  tile_height: number;
  tiles: { time: string; url: string; x: number; y: number }[];
}

/** While somebody looks, the storyboard is read again after this. */
const stale_after_ms = 10_000;
/** A sheet that is not there any more has a new name in a new storyboard. */
const retry_after_ms = 2_000;

/**
 * Pictures for the seek bar. They are found by date, so that it does not matter where in the replay window the player
 * joined. Nothing is loaded before the pointer is over the bar.
 */
export class Preview {
  private tiles: Tile[] = [];
  private size = { width: 0, height: 0 };
  private asked = -Infinity;
  private loading = false;
  private wanted: number | null = null;
  private readonly box = element('picture');
  private readonly image = element<HTMLImageElement>('picture-image');

  /** `source`: URL of storyboard.json. */
  constructor(private readonly source: string) {
    this.image.addEventListener('error', () => {
      this.box.hidden = true;
      this.asked = Math.min(this.asked, performance.now() - stale_after_ms + retry_after_ms);
    });
  }

  /** Shows what was to be seen at `date` (ms since 1970), or nothing. */
  show(date: number | null): void {
    this.wanted = date;
    if (date !== null) void this.refresh();
    const tile = date === null ? undefined : this.find(date);
    this.box.hidden = tile === undefined;
    if (tile === undefined) return;
    if (this.image.src !== tile.url) this.image.src = tile.url;
    this.image.style.transform = `translate(${-tile.x}px, ${-tile.y}px)`;
    this.box.style.width = `${this.size.width}px`;
    this.box.style.height = `${this.size.height}px`;
  }

  /** The tile of a date; between two of them, and just behind the last one, the one before. */
  private find(date: number): Tile | undefined {
    let low = 0;
    let high = this.tiles.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.tiles[middle]?.start ?? Infinity) <= date) low = middle + 1;
      else high = middle;
    }
    const before = this.tiles[low - 1];
    return before ?? this.tiles[0];
  }

  private async refresh(): Promise<void> {
    if (this.loading || performance.now() - this.asked < stale_after_ms) return;
    this.loading = true;
    this.asked = performance.now();
    try {
      const answer = await fetch(this.source);
      if (answer.ok) this.take((await answer.json()) as Storyboard, answer.url);
    } catch {
      // Not reachable now: the bar goes on without pictures, and the next look tries again.
    } finally {
      this.loading = false;
    }
    if (this.wanted !== null) this.show(this.wanted);
  }

  private take(storyboard: Storyboard, base: string): void {
    this.size = { width: storyboard.tile_width, height: storyboard.tile_height };
    this.tiles = storyboard.tiles.map(({ time, url, x, y }) => ({ start: Date.parse(time), url: new URL(url, base).href, x, y }));
  }
}
