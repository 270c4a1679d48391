// Drawing of signal_view.js: the ruler, gaps and the cursor. signal_lanes.js draws signals and
// scores, signal_marks.js spans, flags and the overview.
import { drawScores, drawSignals } from "./signal_lanes.js";
import { drawFlags, drawOverview, drawSpanTags, drawSpans, envelopeStrip, flagsIn } from "./signal_marks.js";
import { rulerStep } from "./signal_layout.js";
import { clock, colours, FONT } from "./signal_style.js";

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
  drawGaps(view, g, c);
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
  const { layout } = view, step = rulerStep((view.t1 - view.t0) / 1000, view.plotWidth);
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

function drawGaps(view, g, c) {
  for (const [from, to] of view.meta.gaps) {
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
    if (x1 - x0 > 40) g.fillText(window.beckonWords?.lost ?? "lost", (x0 + x1) / 2, view.layout.bottom - 12);
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
