// Rows of results: what was measured, ours, the peer's, the goal.

/** `goal` is a bound on ours, `most_ratio` one on ours / peer's; both may be missing. `detail` is free text. */
export function row({ what, unit, ours, peer = null, peer_name = null, goal = null, most_ratio = null, detail = '' }) {
  const ratio = peer === null ? null : ours / peer;
  const bounds = [];
  if (goal !== null) bounds.push(ours <= goal);
  if (most_ratio !== null) bounds.push(ratio <= most_ratio);
  const met = bounds.length === 0 ? null : bounds.every(Boolean);
  return { what, unit, ours, peer, peer_name, ratio, goal, most_ratio, met, detail };
}

const digits = (value) => (value === null ? '-' : Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function goal_of({ goal, most_ratio }) {
  const parts = [];
  if (goal !== null) parts.push(`<= ${goal}`);
  if (most_ratio !== null) parts.push(`<= ${most_ratio}x`);
  return parts.join(', ') || '-';
}

const verdict = ({ met }) => (met === null ? '-' : met ? 'yes' : 'NO');

export function table(rows) {
  const head = ['what', 'unit', 'lookback', 'peer', 'ratio', 'goal', 'met', 'peer is; detail'];
  const cells = rows.map((each) => [
    each.what,
    each.unit,
    digits(each.ours),
    digits(each.peer),
    digits(each.ratio),
    goal_of(each),
    verdict(each),
    [each.peer_name, each.detail].filter(Boolean).join('; '),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...cells].map((line) => line[i].length)));
  return [head, ...cells].map((line) => line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd()).join('\n');
}

export const progress = (text) => process.stderr.write(`${text}\n`);
