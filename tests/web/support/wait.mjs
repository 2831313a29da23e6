/** Asks `probe` until it gives something truthy, and returns that; fails with what it last gave after `limit_ms`. */
export async function until(what, probe, limit_ms = 30_000, every_ms = 100) {
  const deadline = Date.now() + limit_ms;
  let last;
  for (;;) {
    last = await probe();
    if (last) return last;
    if (Date.now() > deadline) throw new Error(`not within ${limit_ms / 1000} s: ${what} (last: ${JSON.stringify(last)})`);
    await new Promise((resolve) => setTimeout(resolve, every_ms));
  }
}

/** Resolves with the exit code or signal of a child process, at once when it has ended already. */
export function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? child.signalCode);
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
}
