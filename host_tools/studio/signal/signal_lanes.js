// The lanes of signal_view.js: acceleration, turn rate, scores.
import { pixelColour } from "./signal_layer.js";
import { FONT } from "./signal_style.js";

const LEAST_RANGE = [4, 40]; // m/s^2, deg/s: noise at rest must not fill the lane

// The values that a lane shows now, on steps that people count in.
function laneRange(view, lane, columns) {
  let low = Infinity, high = -Infinity;
  for (const { low: l, high: h } of columns) {
    for (let i = 0; i < l.length; i++) {
      if (l[i] < low) low = l[i];
      if (h[i] > high) high = h[i];
    }
  }
  if (!(high >= low)) [low, high] = [-1, 1];
  const least = LEAST_RANGE[lane.first ? 1 : 0];
  if (high - low < least) {
    const middle = (low + high) / 2;
    [low, high] = [middle - least / 2, middle + least / 2];
  }
  const raw = (high - low) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step, step };
}

// Both lanes of signals at once, as they share one layer of pixels.
export function drawSignals(view, g, c, lanes) {
  if (!lanes.length) return;
  const { scale } = view, rate = view.meta.rate_hz / 1000;
  const width = Math.max(1, Math.floor(view.plotWidth * scale)); // columns are device pixels
  const first = (view.t0 - view.meta.start_ms) * rate, each = ((view.t1 - view.t0) * rate) / width;
  const top = lanes[0].top - 2, height = lanes.at(-1).bottom + 2 - top;
  view.layer.begin(width, Math.max(1, Math.ceil(height * scale)));
  const drawn = lanes.map((lane) => {
    const axes = [0, 1, 2].map((a) => lane.first + a);
    const columns = axes.map((axis) => {
      const low = new Float32Array(width), high = new Float32Array(width);
      if (view.ring) view.ring.columns(axis, first, each, width, low, high);
      else view.pyramids[axis].columns(first, each, width, low, high);
      return { low, high };
    });
    const range = laneRange(view, lane, columns);
    const bottom = (lane.bottom - top) * scale, high = lane.height * scale;
    const y = (v) => bottom - ((v - range.low) / (range.high - range.low)) * high;
    const bounds = [Math.max(0, bottom - high - 2), Math.min(view.layer.height, bottom + 2)];
    axes.forEach((axis, k) => {
      const colour = pixelColour(c.axes[k]);
      const put = (x, from, to) => view.layer.upright(x, from, to, bounds[0], bounds[1], colour);
      if (each < 2) {
        const thick = (each < 0.6 ? 2.4 : 1.8) * scale;
        lineColumns(view, axis, first, each, width, y, thick, put);
      } else rangeColumns(columns[k], y, 1.2 * scale, put);
    });
    return { lane, axes, range };
  });
  const picture = view.layer.end();
  for (const { lane, range } of drawn) {
    const y = (v) => lane.bottom - ((v - range.low) / (range.high - range.low)) * lane.height;
    drawScale(view, g, c, lane, range, y);
  }
  g.drawImage(picture, view.gutter, top, width / scale, picture.height / scale);
  for (const { lane, axes } of drawn) drawLaneTitle(view, g, c, lane, axes);
}

function sample(view, axis, index) {
  return view.ring ? view.ring.value(axis, index) : view.pyramids[axis].values[index];
}

// At most two samples a column: the straight lines between the samples.
function lineColumns(view, axis, first, each, width, y, thick, put) {
  let v0 = between(view, axis, first);
  for (let c = 0; c < width; c++) {
    const from = first + c * each, to = from + each;
    const v1 = between(view, axis, to);
    let low = Math.min(v0, v1), high = Math.max(v0, v1);
    for (let i = Math.ceil(from); i < to; i++) {
      const v = sample(view, axis, i);
      if (v < low) low = v;
      if (v > high) high = v;
    }
    v0 = v1;
    if (high >= low) put(c, y(high) - thick / 2, y(low) + thick / 2); // else a sample is missing
  }
}

function between(view, axis, at) {
  const i = Math.floor(at), part = at - i, a = sample(view, axis, i);
  return part ? a + part * (sample(view, axis, i + 1) - a) : a;
}

// Many samples a column: from the least to the greatest, reaching the column before.
function rangeColumns({ low, high }, y, thick, put) {
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

function drawScale(view, g, c, lane, range, y) {
  g.font = `15px ${FONT}`;
  g.textAlign = "right";
  g.textBaseline = "middle";
  const count = Math.round((range.high - range.low) / range.step);
  const every = Math.ceil((count + 1) / Math.max(2, Math.floor(lane.height / 30)));
  for (let k = 0; k <= count; k += every) {
    const v = range.low + k * range.step, at = Math.round(y(v));
    g.fillStyle = c.line;
    g.fillRect(view.gutter, at, view.plotWidth, Math.abs(v) < 1e-9 ? 2 : 1);
    g.fillStyle = c.quiet;
    const text = Number(v.toPrecision(6)).toString().replace("-", "−");
    g.fillText(text, view.gutter - 8, Math.min(Math.max(at, lane.top + 8), lane.bottom - 8));
  }
}

const UNITS = { acceleration: "m/s²", turn: "°/s" };
const TITLES = { acceleration: "acceleration", turn: "turn rate" };

function drawLaneTitle(view, g, c, lane, axes) {
  const at = view.hover ?? view.cursor;
  const index = at === null ? null
    : Math.round(((at - view.meta.start_ms) * view.meta.rate_hz) / 1000);
  const parts = [[`${TITLES[lane.kind]}  ${UNITS[lane.kind]}`, c.quiet, 500]];
  axes.forEach((axis, k) => {
    const v = index === null ? NaN : sample(view, axis, index);
    const value = v === v ? ` ${v.toFixed(lane.first ? 0 : 1).replace("-", "−")}` : "";
    parts.push([`${"xyz"[k]}${value}`, c.axes[k], 700]);
  });
  chips(view, g, c, parts, view.gutter + 10, lane.top + 15);
}

function chips(view, g, c, parts, x, y) {
  g.textAlign = "left";
  g.textBaseline = "middle";
  const widths = parts.map(([text, , weight]) => {
    g.font = `${weight} 15px ${FONT}`;
    return Math.ceil(g.measureText(text).width) + 16;
  });
  g.globalAlpha = 0.82;
  g.fillStyle = c.surface;
  g.fillRect(x - 6, y - 12, widths.reduce((a, b) => a + b, 0), 24);
  g.globalAlpha = 1;
  parts.forEach(([text, colour, weight], i) => {
    g.font = `${weight} 15px ${FONT}`;
    g.fillStyle = colour;
    g.fillText(text, x, y);
    x += widths[i];
  });
}

export function drawScores(view, g, c, lane) {
  const y = (v) => lane.bottom - (v / 100) * lane.height;
  drawScale(view, g, c, lane, { low: 0, high: 100, step: 25 }, y);
  g.save();
  g.beginPath();
  g.rect(view.gutter, lane.top - 2, view.plotWidth, lane.height + 4);
  g.clip();
  for (const curve of view.curves) {
    g.fillStyle = curve.colour;
    fillSteps(view, g, curve, y);
  }
  if (view.threshold !== null) {
    g.fillStyle = c.ink;
    for (let x = view.gutter; x < view.width; x += 14) g.fillRect(x, y(view.threshold) - 1, 8, 2);
  }
  g.restore();
  const parts = [["scores  %", c.quiet, 500]];
  for (const curve of view.curves) parts.push([curve.name, curve.colour, 700]);
  chips(view, g, c, parts, view.gutter + 10, lane.top + 15);
}

function after(values, wanted) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Steps, as a score holds from its window to the next. Windows that share a column are
// drawn as the range of their scores.
function fillSteps(view, g, { t_ms, percent }, y) {
  const begin = Math.max(0, after(t_ms, view.t0) - 1);
  const end = Math.min(t_ms.length, after(t_ms, view.t1) + 1);
  for (let i = begin; i < end; ) {
    const x = Math.floor(view.x(t_ms[i]));
    let low = percent[i], high = percent[i], k = i + 1;
    for (; k < end && Math.floor(view.x(t_ms[k])) === x; k++) {
      low = Math.min(low, percent[k]);
      high = Math.max(high, percent[k]);
    }
    const gap = i > begin && t_ms[i] - t_ms[i - 1] > 2000; // no windows in between
    if (i > begin && !gap) {
      low = Math.min(low, percent[i - 1]);
      high = Math.max(high, percent[i - 1]);
    }
    g.fillRect(x, y(high) - 1.2, 2.4, y(low) - y(high) + 2.4);
    const next = k < end && t_ms[k] - t_ms[k - 1] < 2000 ? Math.floor(view.x(t_ms[k])) : x + 2;
    g.fillRect(x, y(percent[k - 1]) - 1.2, next - x, 2.4);
    i = k;
  }
}
