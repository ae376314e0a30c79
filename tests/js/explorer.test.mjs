// The page's arithmetic, without a page: node --test tests/js/explorer.test.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// As text: a file of this name is a module to the widget, but not by Node's rules.
const source = readFileSync(new URL("../../forensics/explorer/explorer.js", import.meta.url));
const page = await import(`data:text/javascript;base64,${source.toString("base64")}`);

test("the picture shown at a time is the last that began by then", () => {
  const times = Float64Array.from([1, 1.04, 1.2, 1.21]);
  const found = [0, 1, 1.039, 1.04, 1.19, 1.2, 9].map(t => page.rowAt(times, t));
  assert.deepEqual(found, [0, 0, 0, 1, 1, 2, 3]);
  assert.equal(page.rowAt([], 1), 0);
});

test("marks on the axis are 1, 2 or 5 times a power of ten, and not too many", () => {
  for (const [span, most] of [[18.9, 10], [0.07, 8], [21600, 12], [1, 1]]) {
    const step = page.tickStep(span, most), digit = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
    assert.ok([1, 2, 5].some(k => Math.abs(k - digit) < 1e-6), `${step}`);
    assert.ok(span / step <= most + 1e-9);
  }
});

test("zooming keeps the time under the hand and stays inside", () => {
  const [a, b] = page.zoomed([0, 100], [0, 100], 0.5, 20);
  assert.deepEqual([a, b], [10, 60]);
  assert.deepEqual(page.zoomed([10, 60], [0, 100], 4, 20), [0, 100]);
  assert.deepEqual(page.zoomed([90, 100], [0, 100], 1, 100), [90, 100]);
  const close = page.zoomed([5, 5.06], [0, 100], 0.01, 5.03);
  assert.ok(close[1] - close[0] >= 0.05 - 1e-9, "never nothing");
});

test("a place on the time line is a time between the lanes' names and the ends of their scales", () => {
  assert.equal(page.timeAt(112, 1000, [2, 5]), 2);
  assert.equal(page.timeAt(960, 1000, [2, 5]), 5);
  assert.equal(page.timeAt(536, 1000, [2, 5]), 3.5);
});

test("a loop at quarter speed goes round", () => {
  assert.equal(page.playedTo(2, 4, 0.25, null), 3);
  assert.ok(Math.abs(page.playedTo(2, 10, 0.25, [2, 3]) - 2.5) < 1e-9);
  assert.ok(Math.abs(page.playedTo(2.5, 2, 0.25, [2, 3]) - 2) < 1e-9);
});

test("gaps are not measured", () => {
  assert.deepEqual(page.measured([0, 1, 1, 2, 2, NaN, 3, NaN, 4, 1]), [[0, 1], [4, 4]]);
  assert.deepEqual(page.measured([]), []);
});

test("times are spelled as in the report", () => {
  assert.equal(page.timecode(4.92), "0:00:04.920");
  assert.equal(page.timecode(3661.0004), "1:01:01.000");
  assert.equal(page.timecode(-0.5), "−0:00:00.500");
});

test("numbers are read wherever they lie in memory", () => {
  const bytes = new Uint8Array(13);
  new DataView(bytes.buffer).setFloat32(1, 1.5, true);
  assert.equal(page.numbers(new DataView(bytes.buffer, 1, 4), Float32Array)[0], 1.5);
});
