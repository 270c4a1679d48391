// Where the parts of signal_view.js lie, in CSS pixels. Pure.

const RULER = 34, FLAGS = 34, STRIP = 58, GAP = 10, TAGS = 32;
const STEPS_S = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
];
const LABEL_ROOM = 110; // px from one number on the ruler to the next

// Rows from the top: ruler, flags, tags of spans, lanes, overview; those without content take
// no room. A lane has kind, top, bottom, height, and first: the index of its first axis.
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

// Seconds from one number on the ruler to the next.
export function rulerStep(span_s, width) {
  const least = (LABEL_ROOM / width) * span_s;
  return STEPS_S.find((s) => s >= least) ?? 14400;
}
