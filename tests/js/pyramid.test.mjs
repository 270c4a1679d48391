import assert from "node:assert/strict";
import test from "node:test";
import { signal } from "./files.mjs";

const { Pyramid, Ring } = await signal("pyramid.js");

// A signal that repeats nowhere soon: a linear congruence, the same in each run.
function noise(n, seed = 1) {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 30 - 1;
  });
}

function columns(source, first, each, count, ...axis) {
  const low = new Float32Array(count), high = new Float32Array(count);
  source.columns(...axis, first, each, count, low, high);
  return { low, high };
}

test("columns of whole samples hold their least and greatest", () => {
  const values = noise(1000), each = 7;
  const { low, high } = columns(new Pyramid(values), 70, each, 100);
  for (let c = 0; c < 100; c++) {
    const part = values.slice(70 + c * each, 70 + (c + 1) * each);
    assert.equal(low[c], Math.min(...part));
    assert.equal(high[c], Math.max(...part));
  }
});

test("a coarse level shows the range of whole blocks, at every level", () => {
  const values = noise(20_000);
  for (const each of [32, 128, 512, 2048]) { // levels of 16, 64, 256 and 1024 samples
    const count = Math.floor(values.length / each);
    const { low, high } = columns(new Pyramid(values), 0, each, count);
    for (let c = 0; c < count; c++) {
      const part = values.slice(c * each, (c + 1) * each);
      assert.equal(low[c], Math.min(...part), `column ${c} of ${each} samples`);
      assert.equal(high[c], Math.max(...part), `column ${c} of ${each} samples`);
    }
  }
});

test("no peak is lost, wherever it stands and whatever the zoom", () => {
  for (const at of [0, 15, 16, 17, 4999, 9998, 9999]) {
    const values = new Float32Array(10_000);
    values[at] = 5;
    const pyramid = new Pyramid(values);
    for (const count of [3, 100, 997]) {
      const { high } = columns(pyramid, 0, values.length / count, count);
      assert.equal(Math.max(...high), 5, `sample ${at} in ${count} columns`);
    }
  }
});

test("columns beside the recording are empty", () => {
  const { low, high } = columns(new Pyramid(noise(100)), -50, 10, 20);
  for (const c of [0, 4, 15, 19]) assert.deepEqual([low[c], high[c]], [Infinity, -Infinity]);
  for (const c of [5, 14]) assert.ok(high[c] >= low[c]);
});

test("lost samples do not hide their neighbours", () => {
  const values = Float32Array.from([1, NaN, 3, NaN, NaN, NaN]);
  const pyramid = new Pyramid(values);
  const { low, high } = columns(pyramid, 0, 3, 2);
  assert.deepEqual([low[0], high[0]], [1, 3]);
  assert.deepEqual([low[1], high[1]], [Infinity, -Infinity]);
  assert.deepEqual(pyramid.range(0, 3), [1, 3]);
});

test("a ring keeps the newest samples of each axis", () => {
  const ring = new Ring(2, 4);
  ring.append(0, Float32Array.from([0, 10, 1, 11, 2, 12]));
  ring.append(3, Float32Array.from([3, 13, 4, 14, 5, 15]));
  assert.deepEqual([ring.first, ring.end], [2, 6]);
  assert.deepEqual([2, 3, 4, 5].map((i) => ring.value(0, i)), [2, 3, 4, 5]);
  assert.deepEqual([2, 3, 4, 5].map((i) => ring.value(1, i)), [12, 13, 14, 15]);
  assert.ok(Number.isNaN(ring.value(0, 1)) && Number.isNaN(ring.value(0, 6)));
});

test("a gap in live data is NaN, also one that is longer than the ring", () => {
  const ring = new Ring(1, 5);
  ring.append(0, Float32Array.from([7, 7, 7]));
  ring.append(5, Float32Array.from([8]));
  assert.deepEqual([1, 2, 3, 4, 5].map((i) => ring.value(0, i)), [7, 7, NaN, NaN, 8]);
  ring.append(1000, Float32Array.from([9]));
  assert.deepEqual([996, 997, 998, 999, 1000].map((i) => ring.value(0, i)), [NaN, NaN, NaN, NaN, 9]);
});

test("a message longer than the ring leaves its end", () => {
  const ring = new Ring(1, 3);
  ring.append(0, Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]));
  assert.deepEqual([5, 6, 7].map((i) => ring.value(0, i)), [5, 6, 7]);
});

test("a browser that comes late begins at the index of its first message", () => {
  const ring = new Ring(1, 100);
  ring.append(5000, Float32Array.from([1, 2]));
  assert.equal(ring.end, 5002);
  assert.ok(Number.isNaN(ring.value(0, 4999)));
  assert.equal(ring.value(0, 5000), 1);
});

test("a ring's columns begin with the sample that they begin in", () => {
  const ring = new Ring(1, 10);
  ring.append(0, Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]));
  const { low, high } = columns(ring, 1.5, 2.5, 2, 0); // 1.5 to 4, 4 to 6.5
  assert.deepEqual([low[0], high[0], low[1], high[1]], [1, 3, 4, 5]);
});

test("a ring's columns hold least and greatest, and nothing before its first sample", () => {
  const ring = new Ring(1, 4);
  ring.append(0, Float32Array.from([9, -9, 1, 2, 3, 4]));
  const { low, high } = columns(ring, 0, 2, 4, 0);
  assert.deepEqual([low[0], high[0]], [Infinity, -Infinity]); // forgotten
  assert.deepEqual([low[1], high[1]], [1, 2]);
  assert.deepEqual([low[2], high[2]], [3, 4]);
  assert.deepEqual([low[3], high[3]], [Infinity, -Infinity]); // not there yet
});
