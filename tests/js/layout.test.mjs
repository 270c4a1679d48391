import assert from "node:assert/strict";
import test from "node:test";
import { fakeView, shared, signal } from "./files.mjs";

const { laneLayout, rulerStep } = await signal("signal_layout.js");
const { clock, inkOn } = await signal("signal_style.js");
const { Pixels, pixelColour } = await signal("signal_layer.js");
const { combination } = await shared("keyboard.js");

test("lanes fill the height, one below the other", () => {
  const { lanes, top, bottom, strip } = laneLayout(fakeView({ curves: [{}] }));
  assert.deepEqual(lanes.map((lane) => lane.kind), ["acceleration", "turn", "scores"]);
  assert.equal(lanes[0].top, top);
  assert.ok(Math.abs(lanes.at(-1).bottom - bottom) < 1e-9);
  for (let i = 1; i < lanes.length; i++) assert.equal(lanes[i].top, lanes[i - 1].bottom + 10);
  assert.ok(strip.top >= bottom && strip.bottom < 600);
  assert.ok(lanes[2].height < lanes[0].height && lanes[0].height === lanes[1].height);
});

test("three axes have one lane; rows without content take no room", () => {
  const bare = laneLayout(fakeView({ meta: { axes: ["ax", "ay", "az"] } }));
  assert.deepEqual(bare.lanes.map((lane) => lane.kind), ["acceleration"]);
  assert.equal(bare.top, bare.ruler);
  const full = laneLayout(fakeView({ flags: [{}], editable: true }));
  assert.ok(full.top === full.tagsTop + full.tags && full.tagsTop > full.flagsTop);
});

test("live data and low views have no overview", () => {
  assert.equal(laneLayout(fakeView({ ring: {} })).strip, null);
  assert.equal(laneLayout(fakeView({ height: 260 })).strip, null);
});

test("numbers on the ruler stand apart and on round times", () => {
  assert.equal(rulerStep(10, 1000), 2);
  assert.equal(rulerStep(0.15, 1000), 0.02);
  assert.equal(rulerStep(3600, 1000), 600);
  assert.equal(rulerStep(1e6, 1000), 14400);
  for (const span_s of [0.3, 7, 33, 400, 5000]) assert.ok((rulerStep(span_s, 900) / span_s) * 900 >= 110);
});

test("times read as a clock shows them", () => {
  assert.deepEqual([0, 61_000, 3_661_000].map((t) => clock(t)), ["0:00", "1:01", "1:01:01"]);
  assert.equal(clock(1234, 0.1), "0:01.2");
  assert.equal(clock(1234, 0.01), "0:01.23");
  assert.equal(clock(59_999, 0.1), "1:00.0"); // rounding carries into the minute
  assert.equal(clock(-1500, 0.1), "-0:01.5");
  globalThis.beckonWords = { ".": "," }; // of a page in German
  assert.equal(clock(1500, 0.1), "0:01,5");
  delete globalThis.beckonWords;
});

test("letters are dark on light colours, light on dark ones", () => {
  assert.deepEqual(["#F0E442", "#FFFFFF"].map(inkOn), ["#14171A", "#14171A"]);
  assert.deepEqual(["#0072B2", "#000000"].map(inkOn), ["#FFFFFF", "#FFFFFF"]);
});

function pixels(width = 3, height = 10) {
  const made = new Pixels();
  made.use(new ArrayBuffer(4 * width * height), width, height);
  return { made, column: (x) => Array.from({ length: height }, (_, y) => made.pixels[y * width + x]) };
}

test("a colour becomes a pixel with red in the lowest byte", () => {
  assert.equal(pixelColour("#123456"), 0x563412);
});

test("an upright covers its rows, its ends in part", () => {
  const { made, column } = pixels();
  made.upright(1, 2.5, 6, 0, 10, 0x563412);
  const alphas = column(1).map((p) => p >>> 24);
  assert.deepEqual(alphas, [0, 0, 128, 255, 255, 255, 0, 0, 0, 0]);
  assert.equal(column(1)[4], 0xff563412);
  assert.ok([...column(0), ...column(2)].every((p) => p === 0));
});

test("an upright stays within its lane and is never outside the picture", () => {
  const { made, column } = pixels();
  made.upright(0, -50, 500, 3, 7, 0xffffff);
  assert.deepEqual(column(0).map((p) => p >>> 24), [0, 0, 0, 255, 255, 255, 255, 0, 0, 0]);
  made.upright(2, 8, 8, 0, 10, 0xffffff);
  made.upright(2, NaN, NaN, 0, 10, 0xffffff);
  assert.ok(column(2).every((p) => p === 0));
});

test("an upright thinner than a pixel is fainter, not gone", () => {
  const { made, column } = pixels();
  made.upright(0, 4.25, 4.5, 0, 10, 0x0000ff);
  assert.deepEqual(column(0).map((p) => p >>> 24), [0, 0, 0, 0, 64, 0, 0, 0, 0, 0]);
  assert.equal(column(0)[4] & 0xffffff, 0x0000ff);
});

test("a half pixel over another colour mixes both", () => {
  const { made, column } = pixels(1, 1);
  made.upright(0, 0, 1, 0, 1, 0x000000);
  made.upright(0, 0, 0.5, 0, 1, 0xffffff);
  assert.equal(column(0)[0], 0xff808080);
});

const press = (key, code = "", ...held) => combination({
  key, code, ctrlKey: held.includes("ctrl"), metaKey: held.includes("meta"),
  altKey: held.includes("alt"), shiftKey: held.includes("shift"),
});

test("combinations name their modifiers in one order", () => {
  assert.equal(press("Z", "KeyZ", "shift", "ctrl"), "mod+shift+z");
  assert.equal(press("z", "KeyZ", "meta"), "mod+z");
  assert.equal(press("ArrowLeft", "ArrowLeft", "shift"), "shift+ArrowLeft");
  assert.equal(press(" ", "Space"), "space");
});

test("shift is not written before a character that needs it", () => {
  assert.equal(press("?", "Slash", "shift"), "?");
  assert.equal(press("A", "KeyA", "shift"), "shift+a");
  assert.equal(press("1", "Digit1"), "1");
});

test("with Alt the place on the keyboard counts, as a Mac types other characters", () => {
  assert.equal(press("®", "KeyR", "alt"), "alt+r");
});
