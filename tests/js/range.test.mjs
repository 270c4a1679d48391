import assert from "node:assert/strict";
import test from "node:test";
import { signal } from "./files.mjs";

const { placed, revealed, zoomed } = await signal("signal_range.js");
const MINUTE = { start_ms: 1000, end_ms: 61_000 };

test("a range inside the recording stays as it is", () => {
  assert.deepEqual(placed(5000, 9000, MINUTE), [5000, 9000]);
});

test("a range over an end moves inside and keeps its width", () => {
  assert.deepEqual(placed(-3000, 1000, MINUTE), [1000, 5000]);
  assert.deepEqual(placed(60_000, 64_000, MINUTE), [57_000, 61_000]);
});

test("a range is at most the recording and at least 150 ms", () => {
  assert.deepEqual(placed(-1e6, 1e6, MINUTE), [1000, 61_000]);
  assert.deepEqual(placed(30_000, 30_010, MINUTE), [29_930, 30_080]);
});

test("a recording shorter than the closest look still shows", () => {
  assert.deepEqual(placed(0, 100, { start_ms: 0, end_ms: 50 }), [-100, 50]);
});

test("live data may be wider than what has come, and run ahead while followed", () => {
  const come = { start_ms: 0, end_ms: 2000 };
  assert.deepEqual(placed(-8000, 2000, come, { follow: true }), [-8000, 2000]);
  assert.deepEqual(placed(-8000, 2000, come, { follow: false }), [0, 10_000]);
  assert.deepEqual(placed(500, 1500, come, { follow: false }), [500, 1500]);
  assert.deepEqual(placed(1500, 2500, come, { follow: false }), [1000, 2000]);
});

test("a zoom keeps the time under the pointer where it is", () => {
  for (const [factor, about] of [[2, 2000], [0.5, 9000], [1.35, 4321]]) {
    const [t0, t1] = zoomed(1000, 11_000, factor, about, 1e9);
    assert.ok(Math.abs(t1 - t0 - 10_000 / factor) < 1e-6);
    assert.ok(Math.abs((about - t0) / (t1 - t0) - (about - 1000) / 10_000) < 1e-9);
  }
});

test("a zoom ends at the whole and at the closest look", () => {
  const width = ([t0, t1]) => t1 - t0;
  assert.ok(Math.abs(width(zoomed(0, 10_000, 0.001, 5000, 60_000)) - 60_000) < 1e-6);
  assert.ok(Math.abs(width(zoomed(0, 10_000, 1000, 5000, 60_000)) - 150) < 1e-6);
});

test("what is in sight is not moved", () => {
  assert.equal(revealed(0, 10_000, 800, 9200), null);
  assert.equal(revealed(0, 10_000, 5000, 5000), null);
});

test("what lies near an edge comes to the middle at the same zoom", () => {
  assert.deepEqual(revealed(0, 10_000, 799, 1201), [-4000, 6000]);
  assert.deepEqual(revealed(0, 10_000, 20_000, 21_000), [15_500, 25_500]);
});

test("what would not fit is shown whole, with a margin", () => {
  assert.deepEqual(revealed(0, 10_000, 1000, 10_000), [100, 10_900]); // no room at the edges
  assert.deepEqual(revealed(0, 10_000, 1000, 9400), [200, 10_200]); // it just fits
  assert.deepEqual(revealed(0, 10_000, 0, 8500), [-850, 9350]);
  assert.deepEqual(revealed(0, 10_000, 2000, 12_000), [1000, 13_000]);
});
