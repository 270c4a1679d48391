// What each column of pixels shows: ranges, lines, steps of scores, the overview's envelope.
// Pure: drawing is handed in as a function.

const GAP_MS = 2000; // scores further apart than this are not joined

// The range of values that a lane shows, on steps that people count in: {low, high, step}.
// columns: [{low, high}], one per axis. least: the smallest range, so that noise at rest does
// not fill the lane.
export function laneRange(columns, least) {
  let low = Infinity, high = -Infinity;
  for (const { low: l, high: h } of columns) {
    for (let i = 0; i < l.length; i++) {
      if (l[i] < low) low = l[i];
      if (h[i] > high) high = h[i];
    }
  }
  if (!(high >= low)) [low, high] = [-1, 1];
  if (high - low < least) {
    const middle = (low + high) / 2;
    [low, high] = [middle - least / 2, middle + least / 2];
  }
  const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step, step };
}

// At most two samples per column: the straight lines between the samples. sample(i) is NaN in a
// gap; no line crosses it. put(column, top, bottom) draws.
export function lineColumns(sample, first, each, width, y, thick, put) {
  let v0 = between(sample, first);
  for (let c = 0; c < width; c++) {
    const from = first + c * each, to = from + each;
    const v1 = between(sample, to);
    let low = Math.min(v0, v1), high = Math.max(v0, v1);
    for (let i = Math.ceil(from); i < to; i++) {
      const v = sample(i);
      if (v < low) low = v;
      if (v > high) high = v;
    }
    v0 = v1;
    if (high >= low) put(c, y(high) - thick / 2, y(low) + thick / 2); // NaN in a gap
  }
}

function between(sample, at) {
  const i = Math.floor(at), part = at - i, a = sample(i);
  return part ? a + part * (sample(i + 1) - a) : a;
}

// Many samples per column: from the least to the greatest, reaching the column before.
export function rangeColumns({ low, high }, y, thick, put) {
  let above = NaN, below = NaN;
  for (let c = 0; c < low.length; c++) {
    if (!(high[c] >= low[c])) { above = below = NaN; continue; }
    const top = y(high[c]), bottom = y(low[c]);
    const from = below < top ? below : top, to = above > bottom ? above : bottom;
    above = top;
    below = bottom;
    put(c, from - thick / 2, to + thick / 2);
  }
}

// Index of the first of the sorted values that is not below wanted.
function lowerBound(values, wanted) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Steps, as a score holds from its window to the next. Windows that share a column are
// drawn as the range of their scores. xOf(t_ms) and y(percent) give pixels; put(x, top, width,
// height) draws.
export function scoreSteps({ t_ms, percent }, t0, t1, xOf, y, put) {
  const begin = Math.max(0, lowerBound(t_ms, t0) - 1);
  const end = Math.min(t_ms.length, lowerBound(t_ms, t1) + 1);
  for (let i = begin; i < end; ) {
    const x = Math.floor(xOf(t_ms[i]));
    let low = percent[i], high = percent[i], k = i + 1;
    for (; k < end && Math.floor(xOf(t_ms[k])) === x; k++) {
      low = Math.min(low, percent[k]);
      high = Math.max(high, percent[k]);
    }
    const gap = i > begin && t_ms[i] - t_ms[i - 1] > GAP_MS; // no windows in between
    if (i > begin && !gap) {
      low = Math.min(low, percent[i - 1]);
      high = Math.max(high, percent[i - 1]);
    }
    put(x, y(high) - 1.2, 2.4, y(low) - y(high) + 2.4);
    const next = k < end && t_ms[k] - t_ms[k - 1] <= GAP_MS ? Math.floor(xOf(t_ms[k])) : x + 2;
    put(x, y(percent[k - 1]) - 1.2, next - x, 2.4);
    i = k;
  }
}

// Where a curve is highest from t0 to t1, the first such place, or -1.
export function peak({ t_ms, percent }, t0, t1) {
  let best = -1;
  for (let i = lowerBound(t_ms, t0); i < t_ms.length && t_ms[i] <= t1; i++) {
    if (best < 0 || percent[i] > percent[best]) best = i;
  }
  return best;
}

const LEAST_SAMPLES = 8; // of a step of the envelope: the range of one sample alone is nothing

// How much moves in each of width columns, 0 to 1: the range of every axis, summed. A short
// recording has fewer steps than columns. The strongest half per cent may exceed the scale, so
// that one knock does not flatten the rest.
export function envelope(pyramids, samples, width) {
  const steps = Math.max(1, Math.min(width, Math.floor(samples / LEAST_SAMPLES)));
  const sums = new Float32Array(steps), low = new Float32Array(steps), high = new Float32Array(steps);
  pyramids.forEach((pyramid, axis) => {
    pyramid.columns(0, samples / steps, steps, low, high);
    for (let i = 0; i < steps; i++) {
      if (high[i] > low[i]) sums[i] += (high[i] - low[i]) / (axis < 3 ? 10 : 150);
    }
  });
  const sorted = Float32Array.from(sums).sort();
  const full = sorted[Math.floor(0.995 * (steps - 1))] || 1;
  return Float32Array.from({ length: width }, (_, i) =>
    Math.min(1, sums[Math.floor((i * steps) / width)] / full));
}
