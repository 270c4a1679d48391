import assert from "node:assert/strict";
import test from "node:test";
import { explore } from "./files.mjs";

const { CELL, grid, nearest, placed, towards } = await explore("takes_map.js");

const all = () => true;
const whole = { zoom: 1, x: 0, y: 0 };

test("points fill the canvas, and zoom about its middle", () => {
  const xy = Float32Array.from([0, 0, 10, 5, 5, 2.5]);
  const at = placed(xy, 444, 244, whole);
  assert.deepEqual([...at.x], [22, 422, 222]);
  assert.deepEqual([...at.y], [222, 22, 122]); // up is more
  const near = placed(xy, 444, 244, { zoom: 2, x: 10, y: 0 });
  assert.deepEqual([near.x[2], near.y[2]], [232, 122]);
  assert.equal(near.x[1] - near.x[0], 800);
  assert.equal(placed(Float32Array.from([3, 3]), 100, 100, whole).x.length, 1); // one take
});

test("a click finds the nearest point that is shown, within reach", () => {
  const points = { x: [10, 14, 200], y: [10, 10, 50] };
  assert.equal(nearest(points, { x: 13, y: 11 }, all), 1);
  assert.equal(nearest(points, { x: 13, y: 11 }, (i) => i !== 1), 0);
  assert.equal(nearest(points, { x: 120, y: 50 }, all), -1);
});

test("arrow keys go to the next point that way, and every point can be reached from some", () => {
  const points = { x: [0, 30, 31, 90, 0], y: [0, 4, 80, 0, -50] };
  assert.equal(towards(points, 0, 1, 0, all), 1);
  assert.equal(towards(points, 1, 1, 0, all), 3);
  assert.equal(towards(points, 0, 0, -1, all), 4);
  assert.equal(towards(points, 3, 1, 0, all), -1);
  assert.equal(towards(points, 1, 0, 1, all), 2);
});

test("thumbnails lie in rows; a click finds its cell", () => {
  const cells = grid(500, 10);
  assert.equal(cells.columns, 4);
  assert.equal(cells.height, 3 * CELL.height);
  for (let k = 0; k < 10; k++) {
    const { x, y } = cells.cell(k);
    assert.equal(cells.at(x + 3, y + 3), k);
  }
  assert.equal(cells.at(490, 2 * CELL.height + 3), -1); // beside the last one
  assert.equal(grid(60, 3).columns, 1);
});
