// The lanes of signal_view.js: acceleration, turn rate, scores.
import { laneRange, lineColumns, peak, rangeColumns, scoreSteps } from "./signal_columns.js";
import { pixelColour } from "./signal_layer.js";
import { FONT, word } from "./signal_style.js";

const LEAST_RANGE = [4, 40]; // m/s^2, deg/s: noise at rest must not fill the lane

function sample(view, axis, index) {
  return view.ring ? view.ring.value(axis, index) : view.pyramids[axis].values[index];
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
    const range = laneRange(columns, LEAST_RANGE[lane.first ? 1 : 0]);
    const bottom = (lane.bottom - top) * scale, high = lane.height * scale;
    const y = (v) => bottom - ((v - range.low) / (range.high - range.low)) * high;
    const bounds = [Math.max(0, bottom - high - 2), Math.min(view.layer.height, bottom + 2)];
    axes.forEach((axis, k) => {
      const colour = pixelColour(c.axes[k]);
      const put = (x, from, to) => view.layer.upright(x, from, to, bounds[0], bounds[1], colour);
      if (each < 2) {
        const thick = (each < 0.6 ? 2.4 : 1.8) * scale;
        lineColumns((i) => sample(view, axis, i), first, each, width, y, thick, put);
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
    const text = Number(v.toPrecision(6)).toString().replace("-", "−").replace(".", word("."));
    g.fillText(text, view.gutter - 8, Math.min(Math.max(at, lane.top + 8), lane.bottom - 8));
  }
}

const UNITS = { acceleration: "m/s²", turn: "°/s" };
const TITLES = { acceleration: "acceleration", turn: "turn rate" };

function drawLaneTitle(view, g, c, lane, axes) {
  const at = view.hover ?? view.cursor;
  const index = at === null ? null
    : Math.round(((at - view.meta.start_ms) * view.meta.rate_hz) / 1000);
  const parts = [[`${word(TITLES[lane.kind])}  ${UNITS[lane.kind]}`, c.quiet, 500]];
  axes.forEach((axis, k) => {
    const v = index === null ? NaN : sample(view, axis, index);
    const value = v === v ? ` ${v.toFixed(lane.first ? 0 : 1).replace("-", "−").replace(".", word("."))}` : "";
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
    scoreSteps(curve, view.t0, view.t1, (t) => view.x(t), y, (x, top, width, height) =>
      g.fillRect(x, top, width, height));
  }
  if (view.threshold !== null) {
    g.fillStyle = c.ink;
    for (let x = view.gutter; x < view.width; x += 14) g.fillRect(x, y(view.threshold) - 1, 8, 2);
  }
  g.restore();
  const named = peakNames(view, g, c, lane, y);
  const parts = [[word("scores  %"), c.quiet, 500]];
  for (const curve of view.curves) if (!named.has(curve)) parts.push([curve.name, curve.colour, 700]);
  chips(view, g, c, parts, view.gutter + 10, lane.top + 15);
}

// The name of each curve beside its highest point in sight, if that stands out and is free. Gives
// the curves that have theirs; the others are named in the lane's title.
const STANDS_OUT = 30; // percent
function peakNames(view, g, c, lane, y) {
  const named = new Set(), taken = [];
  g.font = `700 15px ${FONT}`;
  g.textAlign = "left";
  g.textBaseline = "middle";
  for (const curve of view.curves) {
    const best = peak(curve, view.t0, view.t1);
    if (best < 0 || curve.percent[best] < STANDS_OUT) continue;
    const width = g.measureText(curve.name).width + 22;
    const x = Math.max(view.gutter + 4, Math.min(view.x(curve.t_ms[best]) + 8, view.width - width - 4));
    const at = Math.min(Math.max(y(curve.percent[best]) + 14, lane.top + 42), lane.bottom - 12);
    if (taken.some((t) => Math.abs(t.at - at) < 22 && t.x < x + width && x < t.x + t.width)) continue;
    taken.push({ x, at, width });
    named.add(curve);
    g.globalAlpha = 0.82;
    g.fillStyle = c.surface;
    g.fillRect(x - 4, at - 11, width, 22);
    g.globalAlpha = 1;
    g.fillStyle = curve.colour;
    g.fillRect(x, at - 5, 10, 10);
    g.fillStyle = c.ink;
    g.fillText(curve.name, x + 15, at);
  }
  return named;
}
