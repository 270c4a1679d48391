import assert from "node:assert/strict";
import test from "node:test";
import { fakeView, signal } from "./files.mjs";

const { findAt } = await signal("signal_hits.js");
const { currentSpans, fitted, flagsIn } = await signal("signal_marks.js");
const { laneLayout } = await signal("signal_layout.js");

const SPANS = [
  { id: 1, start_ms: 1000, end_ms: 2000 }, // 160 to 260 px
  { id: 2, start_ms: 2000, end_ms: 4000 }, // 260 to 460 px
];

function view(values) {
  const made = fakeView({ spans: SPANS, editable: true, ...values });
  made.layout = laneLayout(made);
  return made;
}

const at = (x, y = 300) => ({ x, y });

test("a span is hit between its ends, the ground beside it", () => {
  assert.equal(findAt(view(), at(210), 8).span.id, 1);
  assert.equal(findAt(view(), at(360), 8).span.id, 2);
  assert.deepEqual(findAt(view(), at(100), 8), { what: "ground" });
  assert.deepEqual(findAt(view(), at(480), 8), { what: "ground" });
});

test("an edge is hit within reach on both sides of it", () => {
  for (const x of [153, 160, 167]) {
    const { what, span, edge } = findAt(view(), at(x), 8);
    assert.deepEqual([what, span.id, edge], ["edge", 1, "start_ms"]);
  }
  assert.equal(findAt(view(), at(151), 8).what, "ground");
  assert.equal(findAt(view(), at(169), 8).what, "span");
  assert.equal(findAt(view(), at(141), 22).what, "edge"); // a finger reaches further
});

test("where two spans touch, the chosen one's edge wins", () => {
  assert.deepEqual([1, 2].map((selected) => findAt(view({ selected }), at(261), 8).span.id), [1, 2]);
});

test("edges are only there to be dragged: not in a view that cannot be edited", () => {
  assert.equal(findAt(view({ editable: false }), at(162), 8).what, "span");
});

test("of two spans over each other the shorter one is hit", () => {
  const inner = { id: 3, start_ms: 2500, end_ms: 3500 };
  for (const spans of [[...SPANS, inner], [inner, ...SPANS]]) {
    assert.equal(findAt(view({ spans }), at(360), 8).span.id, 3);
  }
});

test("the ruler above the spans is ground, the strip below them the overview", () => {
  assert.equal(findAt(view(), at(210, 10), 8).what, "ground");
  assert.equal(findAt(view(), at(210, 595), 8).what, "strip");
  assert.equal(findAt(view({ overview: false }), at(210, 595), 8).what, "span");
  const { strip } = view().layout; // a finger may miss it by a little
  assert.equal(findAt(view(), at(210, strip.top - 4), 8).what, "strip");
  assert.equal(findAt(view(), at(210, strip.top - 5), 8).what, "span");
});

test("the nearest flag is hit, in the flags' row only", () => {
  const flags = [{ t_ms: 5000 }, { t_ms: 5100 }]; // 560 and 570 px
  assert.deepEqual(findAt(view({ flags }), at(568, 50), 8), { what: "flag", index: 1 });
  assert.deepEqual(findAt(view({ flags }), at(562, 50), 8), { what: "flag", index: 0 });
  const turned = [{ t_ms: 5100 }, { t_ms: 5000 }];
  assert.deepEqual(findAt(view({ flags: turned }), at(562, 50), 8), { what: "flag", index: 1 });
  assert.equal(findAt(view({ flags }), at(547, 50), 8).what, "flag"); // 13 px beside the first
  assert.equal(findAt(view({ flags }), at(546, 50), 8).what, "ground");
  assert.equal(findAt(view({ flags }), at(600, 50), 8).what, "ground");
  assert.equal(findAt(view({ flags }), at(568, 300), 8).what, "ground");
});

test("flags out of sight are left out; the others keep their index", () => {
  const flags = [{ t_ms: -1000 }, { t_ms: 100 }, { t_ms: 9_700 }];
  assert.deepEqual(flagsIn(view({ flags })).map(({ index, x }) => [index, x]), [[1, 70]]);
});

test("a span under the pointer takes the place of the one that is dragged", () => {
  const moved = { id: 2, start_ms: 2500, end_ms: 4500 };
  const dragged = currentSpans(view({ input: { drag: { span: moved } } }));
  assert.deepEqual(dragged, [SPANS[0], moved]);
});

test("a span that is drawn comes to the others, and waits there for the answer", () => {
  const drawn = { id: null, start_ms: 5000, end_ms: 6000 };
  assert.deepEqual(currentSpans(view({ input: { drag: { span: drawn } } })), [...SPANS, drawn]);
  assert.deepEqual(currentSpans(view({ pending: drawn })), [...SPANS, drawn]);
  assert.deepEqual(currentSpans(view({ input: { drag: { kind: "pan" } } })), SPANS);
});

test("a tag is shortened until it fits", () => {
  const g = { measureText: (text) => ({ width: 10 * text.length }) };
  assert.deepEqual(fitted(g, "circle", 200), { text: "circle", width: 74 });
  assert.deepEqual(fitted(g, "circle", 64), { text: "circ…", width: 64 });
  assert.equal(fitted(g, "circle", 0).text.length, 2); // it ends
});
