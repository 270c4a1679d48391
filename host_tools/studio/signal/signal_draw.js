// Drawing of signal_view.js: where everything lies, the ruler, the cursor; the rest is
// in signal_lanes.js (signals, scores) and signal_marks.js (spans, flags, overview).
import { drawScores, drawSignals } from "./signal_lanes.js";
import { drawFlags, drawOverview, drawSpanTags, drawSpans, envelopeStrip, flagsIn } from "./signal_marks.js";
import { clock, colours, FONT } from "./signal_style.js";

const RULER = 34, FLAGS = 34, STRIP = 58, GAP = 10, TAGS = 32;
const STEPS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
];

// Where everything lies, in CSS pixels.
export function laneLayout(view) {
  const axes = view.meta?.axes.length ?? 6;
  const strip = view.overview && !view.ring && view.height > 260 ? STRIP : 0;
  const flags = view.flags.length ? FLAGS : 0;
  const tags = view.spans.length || view.editable ? TAGS : 0;
  const top = RULER + flags + tags;
  const bottom = view.height - (strip ? strip + GAP : 4);
  const kinds = [];
  for (let a = 0; a < axes; a += 3) kinds.push({ kind: a ? "turn" : "acceleration", first: a, weight: 1 });
  if (view.curves.length) kinds.push({ kind: "scores", weight: 0.7 });
  const weight = kinds.reduce((sum, k) => sum + k.weight, 0);
  const room = bottom - top - GAP * (kinds.length - 1);
  let y = top;
  for (const lane of kinds) {
    lane.top = y;
    lane.height = (room * lane.weight) / weight;
    lane.bottom = y + lane.height;
    y = lane.bottom + GAP;
  }
  return {
    ruler: RULER, flagsTop: RULER, tagsTop: RULER + flags, tags, top, bottom, lanes: kinds,
    strip: strip ? { top: view.height - strip, bottom: view.height - 4 } : null,
  };
}

export function draw(view) {
  const g = view.context, c = colours(view), { layout } = view;
  g.setTransform(view.scale, 0, 0, view.scale, 0, 0);
  g.fillStyle = c.surface;
  g.fillRect(0, 0, view.width, view.height);
  if (!view.meta) return;
  drawRuler(view, g, c);
  g.save();
  g.beginPath();
  g.rect(view.gutter, 0, view.plotWidth, view.height);
  g.clip();
  drawSpans(view, g, c);
  g.restore();
  drawSignals(view, g, c, layout.lanes.filter((lane) => lane.kind !== "scores"));
  for (const lane of layout.lanes) if (lane.kind === "scores") drawScores(view, g, c, lane);
  g.save();
  g.beginPath();
  g.rect(view.gutter, 0, view.plotWidth, view.height);
  g.clip();
  drawHoles(view, g, c);
  drawSpanTags(view, g, c);
  drawFlags(view, g, c, flagsIn(view));
  drawCursor(view, g, c);
  g.restore();
  if (layout.strip) {
    view.strip ??= envelopeStrip(view, c);
    drawOverview(view, g, c);
  }
}

function drawRuler(view, g, c) {
  const span_s = (view.t1 - view.t0) / 1000, { layout } = view;
  const least = (110 / view.plotWidth) * span_s;
  const step = STEPS_S.find((s) => s >= least) ?? 14400;
  g.font = `15px ${FONT}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.lineWidth = 1;
  const low = Math.min(view.t0, view.t1);
  for (let k = Math.ceil(low / 1000 / step); k * step * 1000 <= view.t1; k++) {
    const x = view.x(k * step * 1000);
    g.fillStyle = c.line;
    g.fillRect(Math.round(x), layout.ruler - 5, 1, layout.bottom - layout.ruler + 5);
    if (view.ring && k < 0) continue;
    if (x < view.gutter + 20 || x > view.width - 24) continue;
    if (view.cursor !== null && Math.abs(view.x(view.cursor) - x) < 74) continue; // its own stands there
    g.fillStyle = c.quiet;
    g.fillText(clock(k * step * 1000, step), x, layout.ruler / 2);
  }
}

function drawHoles(view, g, c) {
  for (const [from, to] of view.meta.holes) {
    const at = (i) => view.x(view.meta.start_ms + (1000 * i) / view.meta.rate_hz);
    const x0 = at(from), x1 = Math.max(at(to), x0 + 2);
    if (x1 < view.gutter || x0 > view.width) continue;
    g.fillStyle = c.surface;
    g.globalAlpha = 0.75;
    g.fillRect(x0, view.layout.top, x1 - x0, view.layout.bottom - view.layout.top);
    g.globalAlpha = 1;
    g.fillStyle = c.quiet;
    g.font = `14px ${FONT}`;
    g.textAlign = "center";
    if (x1 - x0 > 40) g.fillText("lost", (x0 + x1) / 2, view.layout.bottom - 12);
  }
}

function drawCursor(view, g, c) {
  const { layout } = view;
  const line = (t, colour, width) => {
    const x = view.x(t);
    g.fillStyle = colour;
    g.fillRect(Math.round(x - width / 2), layout.ruler - 4, width, layout.bottom - layout.ruler + 4);
    return x;
  };
  if (view.hover !== null) line(view.hover, c.quiet, 1);
  if (view.cursor === null) return;
  const x = line(view.cursor, c.ink, 2);
  const text = clock(view.cursor, 0.01);
  g.font = `700 15px ${FONT}`;
  const half = g.measureText(text).width / 2 + 7;
  const at = Math.min(Math.max(x, view.gutter + half), view.width - half);
  g.fillStyle = c.ink;
  g.beginPath();
  g.roundRect(at - half, 4, 2 * half, 25, 6);
  g.fill();
  g.fillStyle = c.surface;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(text, at, 17);
}
