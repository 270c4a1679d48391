// What lies on a signal: spans, flags, and the overview of the whole recording.
//
// A flag's kind has a shape as well as a colour: hit is a disc with a tick, false a
// triangle with a "!", duplicate two rings, missed a ring with a dash, event a disc.
import { envelope } from "./signal_columns.js";
import { FONT, inkOn, outline, upright } from "./signal_style.js";

const HIT_COLOURS = { hit: "good", false: "bad", duplicate: "warn", missed: "bad", event: "accent" };

// The spans as they are now, one under the pointer included.
export function currentSpans(view) {
  const drag = view.input?.drag;
  if (!drag?.span) return view.pending ? [...view.spans, view.pending] : view.spans;
  const spans = view.spans.map((s) => (s.id === drag.span.id ? drag.span : s));
  return drag.span.id === null ? [...spans, drag.span] : spans;
}

export function drawSpans(view, g) {
  const { top, bottom, tagsTop } = view.layout;
  for (const span of currentSpans(view)) {
    if (span.end_ms < view.t0 || span.start_ms > view.t1) continue;
    const x0 = view.x(span.start_ms), x1 = Math.max(view.x(span.end_ms), x0 + 1.5);
    const chosen = span.id !== null && span.id === view.selected;
    const proposal = span.kind === "proposal";
    g.fillStyle = span.colour;
    g.globalAlpha = proposal ? 0.1 : chosen ? 0.32 : 0.2;
    g.fillRect(x0, tagsTop, x1 - x0, bottom - tagsTop);
    g.globalAlpha = 1;
    if (x1 - x0 > 3 || chosen) {
      g.fillStyle = chosen ? view.colours.ink : span.colour;
      for (const x of [x0, x1]) upright(g, x, tagsTop, bottom, chosen ? 3 : 2, proposal && x1 - x0 > 12);
    }
    if (chosen && view.editable) handles(view, g, x0, x1);
  }
}

function handles(view, g, x0, x1) {
  const middle = (view.layout.top + view.layout.bottom) / 2;
  for (const x of [x0, x1]) {
    g.fillStyle = view.colours.ink;
    g.beginPath();
    g.roundRect(x - 6, middle - 22, 12, 44, 6);
    g.fill();
    g.strokeStyle = view.colours.surface;
    g.lineWidth = 1.5;
    g.beginPath();
    for (const dx of [-1.5, 1.5]) {
      g.moveTo(x + dx, middle - 9);
      g.lineTo(x + dx, middle + 9);
    }
    g.stroke();
  }
}

const TAG_FONT = `700 16px ${FONT}`;

// The text, shortened if need be, and its width with the padding.
export function fitted(g, text, room) {
  g.font = TAG_FONT;
  let width = g.measureText(text).width + 14;
  while (width > room && text.length > 2) {
    text = `${text.replace(/…$/, "").slice(0, -1)}…`;
    width = g.measureText(text).width + 14;
  }
  return { text, width };
}

export function drawSpanTags(view, g, c) {
  const { tagsTop, tags } = view.layout;
  if (!tags) return;
  let taken = -Infinity;
  const visible = currentSpans(view)
    .filter((s) => s.end_ms >= view.t0 && s.start_ms <= view.t1)
    .sort((a, b) => a.start_ms - b.start_ms);
  visible.forEach((span, k) => {
    const x0 = Math.max(view.x(span.start_ms), view.gutter), x1 = view.x(span.end_ms);
    const next = visible[k + 1] ? view.x(visible[k + 1].start_ms) : view.width;
    const proposal = span.kind === "proposal";
    const chosen = span.id !== null && span.id === view.selected;
    const name = proposal ? `${span.label}?` : span.label;
    const note = span.note && x1 - x0 > 170 ? `  ${span.note}` : "";
    const room = Math.max(x1, next) - x0 - 4;
    const { text, width } = room < 20 ? { text: "", width: 0 } : fitted(g, name + note, room);
    const box = Math.max(Math.min(x1 - x0, view.width - x0), 3);
    g.fillStyle = span.colour;
    if (proposal) {
      outline(g, x0, tagsTop + 1, box, tags - 4, 2);
    } else {
      g.fillRect(x0, tagsTop + 1, box, tags - 4);
    }
    if (chosen) {
      g.fillStyle = c.ink;
      outline(g, x0, tagsTop + 1, box, tags - 4, 3);
    }
    if (!text || width > room + 2 || x0 < taken) return;
    g.font = TAG_FONT;
    const inside = width <= box + 2;
    g.textAlign = "left";
    g.textBaseline = "middle";
    if (!inside) { // text runs out of its box: paper behind it
      g.globalAlpha = 0.85;
      g.fillStyle = c.surface;
      g.fillRect(x0 + box, tagsTop + 1, width - box, tags - 4);
      g.globalAlpha = 1;
    }
    g.fillStyle = proposal || !inside ? c.ink : inkOn(span.colour);
    if (!inside) {
      g.fillText(text, x0 + box + 4, tagsTop + tags / 2);
      taken = x0 + box + width;
    } else {
      g.fillText(text, x0 + 7, tagsTop + tags / 2);
      taken = x0 + width;
    }
  });
}

// Flags in sight with their places: [{index, x, flag}].
export function flagsIn(view) {
  const out = [];
  view.flags.forEach((flag, index) => {
    const x = view.x(flag.t_ms);
    if (x > view.gutter - 20 && x < view.width + 20) out.push({ index, x, flag });
  });
  return out;
}

export function drawFlags(view, g, c, flags) {
  const y = view.layout.flagsTop + 16;
  flags.forEach(({ x, flag }, k) => {
    const colour = c[HIT_COLOURS[flag.kind] ?? "accent"];
    g.fillStyle = colour;
    upright(g, x, y + 10, view.layout.bottom, 2, flag.kind !== "hit" && flag.kind !== "event");
    symbol(g, c, flag.kind, colour, x, y);
    g.font = `600 15px ${FONT}`;
    g.textAlign = "left";
    g.textBaseline = "middle";
    const next = flags[k + 1]?.x ?? view.width;
    if (g.measureText(flag.text).width + 30 < next - x) {
      g.fillStyle = c.ink;
      g.fillText(flag.text, x + 15, y);
    }
  });
}

function symbol(g, c, kind, colour, x, y) {
  g.fillStyle = colour;
  g.strokeStyle = colour;
  g.lineWidth = 2.5;
  g.beginPath();
  if (kind === "false") {
    g.moveTo(x, y - 11);
    g.lineTo(x + 11, y + 9);
    g.lineTo(x - 11, y + 9);
    g.closePath();
    g.fill();
    g.fillStyle = c.surface;
    g.font = `700 14px ${FONT}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.fillText("!", x, y + 2);
  } else if (kind === "duplicate") {
    g.arc(x - 4, y, 6, 0, 7);
    g.stroke();
    g.beginPath();
    g.arc(x + 4, y, 6, 0, 7);
    g.stroke();
  } else if (kind === "missed") {
    g.arc(x, y, 9, 0, 7);
    g.moveTo(x - 4, y);
    g.lineTo(x + 4, y);
    g.stroke();
  } else {
    g.arc(x, y, 9, 0, 7);
    g.fill();
    if (kind !== "hit") return;
    g.strokeStyle = c.surface;
    g.beginPath();
    g.moveTo(x - 4, y);
    g.lineTo(x - 1, y + 4);
    g.lineTo(x + 5, y - 4);
    g.stroke();
  }
}

// How much moves when, over the whole recording. Drawn once, as it looks at every axis.
export function envelopeStrip(view, c) {
  const { strip } = view.layout, width = Math.floor(view.plotWidth);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = strip.bottom - strip.top;
  const g = canvas.getContext("2d");
  g.fillStyle = c.quiet;
  envelope(view.pyramids, view.meta.samples, width).forEach((share, i) => {
    const h = Math.max(1, share * (canvas.height - 14));
    g.fillRect(i, canvas.height - h, 1, h);
  });
  return canvas;
}

export function drawOverview(view, g, c) {
  const { strip } = view.layout, { start_ms, end_ms } = view.extent();
  const at = (t) => view.gutter + ((t - start_ms) / (end_ms - start_ms)) * view.plotWidth;
  g.fillStyle = c.paper;
  g.fillRect(view.gutter, strip.top, view.plotWidth, strip.bottom - strip.top);
  g.globalAlpha = 0.6;
  g.drawImage(view.strip, view.gutter, strip.top);
  g.globalAlpha = 1;
  for (const span of view.spans) {
    g.fillStyle = span.colour;
    const x = at(span.start_ms), wide = Math.max(at(span.end_ms) - x, 2);
    g.globalAlpha = span.kind === "proposal" ? 0.5 : 1;
    g.fillRect(x, strip.top + 2, wide, span.kind === "proposal" ? 5 : 10);
  }
  g.globalAlpha = 1;
  for (const flag of view.flags) {
    g.fillStyle = c[HIT_COLOURS[flag.kind] ?? "accent"];
    g.fillRect(at(flag.t_ms) - 1, strip.top + 14, 2, 14);
  }
  const x0 = at(view.t0), x1 = Math.max(at(view.t1), x0 + 4);
  g.fillStyle = c.surface;
  g.globalAlpha = 0.55;
  g.fillRect(view.gutter, strip.top, x0 - view.gutter, strip.bottom - strip.top);
  g.fillRect(x1, strip.top, view.width - x1, strip.bottom - strip.top);
  g.globalAlpha = 1;
  g.strokeStyle = c.accent;
  g.lineWidth = 3;
  g.strokeRect(x0 + 1.5, strip.top + 1.5, Math.max(x1 - x0 - 3, 2), strip.bottom - strip.top - 3);
  if (view.cursor !== null) {
    g.fillStyle = c.ink;
    g.fillRect(at(view.cursor) - 1, strip.top, 2, strip.bottom - strip.top);
  }
}
