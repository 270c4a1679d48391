// What lies under the pointer in signal_view.js. Pure.
import { currentSpans, flagsIn } from "./signal_marks.js";

// What lies at a place of the canvas, within reach px: {what: "strip", "flag", "edge", "span" or
// "ground"}, with index (flag), span (edge, span) and edge ("start_ms" or "end_ms").
export function findAt(view, { x, y }, reach) {
  const { layout } = view;
  if (layout.strip && y >= layout.strip.top - 4) return { what: "strip" };
  if (view.flags.length && y < layout.tagsTop) {
    const near = flagsIn(view).filter((f) => Math.abs(f.x - x) < reach + 6);
    near.sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x));
    if (near.length) return { what: "flag", index: near[0].index };
  }
  if (y < layout.tagsTop) return { what: "ground" };
  const spans = currentSpans(view).filter((s) => s.id !== null);
  if (view.editable) {
    let best = null;
    for (const span of spans) {
      for (const edge of ["start_ms", "end_ms"]) {
        // The chosen span's edges win where two spans touch.
        const away = Math.abs(view.x(span[edge]) - x) - (span.id === view.selected ? 3 : 0);
        if (away < reach && (!best || away < best.away)) best = { what: "edge", span, edge, away };
      }
    }
    if (best) return best;
  }
  const t = view.t(x);
  const under = spans.filter((s) => s.start_ms <= t && t <= s.end_ms);
  under.sort((a, b) => a.end_ms - a.start_ms - (b.end_ms - b.start_ms));
  return under.length ? { what: "span", span: under[0] } : { what: "ground" };
}
