// The range of time in sight: placing, zooming, revealing. Pure; all times are ms.

const LEAST_MS = 150; // the closest look
const EDGE = 0.08; // of the width: what is nearer to an edge counts as out of sight

// [t0, t1] that can be shown: as wide as wished about the same middle, inside the extent of the
// samples. live: {follow} for live data, whose range may be wider than what has come, and may
// run ahead of it while it follows.
export function placed(t0, t1, { start_ms, end_ms }, live = null) {
  const whole = Math.max(end_ms - start_ms, LEAST_MS);
  const width = Math.min(Math.max(t1 - t0, LEAST_MS), live ? Infinity : whole);
  let from = (t0 + t1) / 2 - width / 2;
  if (!live) from = Math.min(Math.max(from, start_ms), end_ms - width);
  else if (!live.follow) from = Math.min(Math.max(from, start_ms), Math.max(end_ms - width, start_ms));
  return [from, from + width];
}

// The range after a zoom by factor about a time, which keeps its place on the screen. most: the
// widest range.
export function zoomed(t0, t1, factor, about, most) {
  const width = Math.min(Math.max((t1 - t0) / factor, LEAST_MS), most);
  const part = (about - t0) / (t1 - t0);
  return [about - part * width, about + (1 - part) * width];
}

// The range that brings from..to into sight, null if it is in sight already. Keeps the width
// unless from..to would not fit.
export function revealed(t0, t1, from, to) {
  const width = t1 - t0, room = EDGE * width;
  if (to - from > width - 2 * room) return [from - 0.1 * (to - from), to + 0.1 * (to - from)];
  if (from >= t0 + room && to <= t1 - room) return null;
  const middle = (from + to) / 2;
  return [middle - width / 2, middle + width / 2];
}
