import assert from "node:assert/strict";
import test from "node:test";
import { signal } from "./files.mjs";

const { envelope, laneRange, lineColumns, rangeColumns, scoreSteps } = await signal("signal_columns.js");
const { Pyramid } = await signal("pyramid.js");

const drawn = (draw) => { const out = []; draw((...values) => out.push(values)); return out; };
const axis = (low, high) => ({ low: Float32Array.from(low), high: Float32Array.from(high) });
const down = (v) => -v; // y grows downwards

test("a lane covers its values on round steps", () => {
  assert.deepEqual(laneRange([axis([-3, 0], [1, 17])], 4), { low: -5, high: 20, step: 5 });
  assert.deepEqual(laneRange([axis([0], [8]), axis([-8], [0])], 4), { low: -10, high: 10, step: 5 });
  for (const most of [3.7, 12, 99, 250, 1999]) {
    const { low, high, step } = laneRange([axis([-most], [most])], 4);
    assert.ok(low <= -most && high >= most && (high - low) / step <= 6);
    assert.match(String(step / 10 ** Math.floor(Math.log10(step))), /^(1|2|5)$/);
  }
});

test("noise at rest does not fill a lane", () => {
  assert.deepEqual(laneRange([axis([9.8], [9.9])], 4), { low: 7, high: 12, step: 1 });
});

test("a lane without samples has a range as well", () => {
  const { low, high } = laneRange([axis([Infinity], [-Infinity])], 4);
  assert.deepEqual([low, high], [-2, 2]);
});

test("few samples are joined by straight lines", () => {
  const values = [0, 10, 0];
  const put = drawn((p) => lineColumns((i) => values[i] ?? NaN, 0, 0.5, 4, down, 2, p));
  assert.deepEqual(put, [[0, -6, 1], [1, -11, -4], [2, -11, -4], [3, -6, 1]]);
});

test("no line crosses a gap", () => {
  const values = [1, NaN, 1, 1];
  const put = drawn((p) => lineColumns((i) => values[i] ?? NaN, 0, 1, 3, down, 0, p));
  assert.deepEqual(put.map(([column]) => column), [2]);
});

test("a column between two samples shows the peak inside it", () => {
  const values = [0, 9, 0, 0];
  const [[, top]] = drawn((p) => lineColumns((i) => values[i] ?? NaN, 0, 1.9, 1, down, 0, p));
  assert.equal(top, -9);
});

test("many samples: a column reaches the one before, so that the line is closed", () => {
  const put = drawn((p) => rangeColumns(axis([0, 5, 0], [1, 6, 1]), down, 0, p));
  assert.deepEqual(put, [[0, -1, 0], [1, -6, -1], [2, -5, 0]]);
});

test("many samples: after a gap nothing is joined", () => {
  const put = drawn((p) => rangeColumns(axis([0, Infinity, 5], [1, -Infinity, 6]), down, 0, p));
  assert.deepEqual(put, [[0, -1, 0], [2, -6, -5]]);
});

const curve = (t_ms, percent) => ({ t_ms: Float64Array.from(t_ms), percent: Float32Array.from(percent) });
const tenth = (t_ms) => t_ms / 10;

test("a score holds until the next window", () => {
  const put = drawn((p) => scoreSteps(curve([0, 100, 200], [10, 80, 80]), 0, 200, tenth, down, p));
  const level = put.filter(([, , width]) => width === 10).map(([x, top]) => [x, Math.round(top)]);
  assert.deepEqual(level, [[0, -11], [10, -81]]);
  const rise = put.find(([x, , width]) => x === 10 && width === 2.4);
  assert.ok(Math.abs(rise[3] - 72.4) < 1e-6); // an upright from 10 to 80 %
});

test("scores on both sides of a gap are not joined", () => {
  const put = drawn((p) => scoreSteps(curve([0, 5000], [0, 100]), 0, 5000, tenth, down, p));
  assert.ok(put.every(([, , width, height]) => width <= 2.4 && height <= 2.4));
});

test("windows in one column show the range of their scores", () => {
  const put = drawn((p) => scoreSteps(curve([0, 1, 2, 3], [50, 0, 100, 50]), 0, 3, tenth, down, p));
  assert.deepEqual(put[0].map(Math.round), [0, -101, 2, 102]);
});

test("only the windows in sight are drawn, with one on either side", () => {
  const t_ms = Array.from({ length: 1000 }, (_, i) => 100 * i);
  const put = drawn((p) => scoreSteps(curve(t_ms, t_ms.map(() => 50)), 5000, 6000, tenth, down, p));
  const xs = new Set(put.map(([x]) => x));
  assert.deepEqual([Math.min(...xs), Math.max(...xs)], [490, 600]);
});

test("the overview shows where it moves, against its strongest place", () => {
  const values = new Float32Array(10_000);
  for (let i = 4000; i < 5000; i++) values[i] = i % 2 ? 3 : -3;
  for (let i = 8000; i < 9000; i++) values[i] = i % 2 ? 1.5 : -1.5;
  const heights = envelope([new Pyramid(values)], values.length, 100);
  assert.equal(heights.length, 100);
  assert.deepEqual([20, 45, 85].map((i) => heights[i]), [0, 1, 0.5]);
});

test("a still recording has a flat overview", () => {
  assert.deepEqual([...envelope([new Pyramid(new Float32Array(500))], 500, 10)], new Array(10).fill(0));
});

test("a short recording has an overview, too: fewer samples than columns", () => {
  const values = Float32Array.from({ length: 400 }, (_, i) => (i >= 200 && i < 300 ? Math.sin(i) : 0));
  const heights = envelope([new Pyramid(values)], values.length, 1200);
  assert.equal(heights.length, 1200);
  assert.deepEqual([100, 500, 1000].map((i) => heights[i]), [0, 0, 0]);
  assert.ok(heights.slice(610, 890).every((share) => share > 0.5));
});
