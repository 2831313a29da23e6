import { Child } from './processes.mjs';
import { program } from './programs.mjs';

/** Publishes a clip in a loop to each of these addresses; with `trace` the first one's video packets are told, with `trace_all` every one's. */
export class Publisher extends Child {
  constructor(clip, urls, { trace = false, trace_all = false } = {}) {
    super(program('paced_publisher'), [...(trace ? ['--trace'] : []), ...(trace_all ? ['--trace-all'] : []), clip, ...urls]);
  }

  /** Fails if a server has ended a connection meanwhile. */
  check() {
    if (!this.alive) throw new Error('a publisher was disconnected');
  }
}

export const names = (count) => Array.from({ length: count }, (_, i) => `s${i}`);
