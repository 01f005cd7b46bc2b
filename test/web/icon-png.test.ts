import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { iconPng } from '../../web/icon-png.ts';

const SVG =
  '<svg viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b7a75"/><path d="M4 16c8 0 16 0 24 0" stroke="#fff" stroke-width="4"/></svg>';

/** Red, green, blue and alpha of a pixel. */
function pixelOf(png: Uint8Array, sizePx: number): (x: number, y: number) => number[] {
  const bytes = Buffer.from(png);
  const at = bytes.indexOf('IDAT');
  const rows = inflateSync(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at - 4)));
  assert.equal(rows.length, sizePx * (sizePx * 4 + 1));
  return (x, y) => [...rows.subarray(y * (sizePx * 4 + 1) + 1 + x * 4).subarray(0, 4)];
}

const GROUND = [0x0b, 0x7a, 0x75, 255];
const INK = [255, 255, 255, 255];

describe('icons as PNG:', () => {
  test('a rounded square with the stroke on it', () => {
    const pixel = pixelOf(iconPng(SVG, { sizePx: 64 }), 64);
    assert.equal(pixel(0, 0)[3], 0, 'corners are cut');
    assert.deepEqual(pixel(32, 4), GROUND);
    assert.deepEqual(pixel(32, 32), INK);
    assert.deepEqual(pixel(32, 29), INK, 'four units of the drawing are eight pixels');
    assert.deepEqual(pixel(32, 26), GROUND);
    assert.deepEqual(pixel(7, 32), INK, 'ends are round');
    assert.deepEqual(pixel(2, 32), GROUND);
  });

  test('one that any shape may be cut from has a full ground and a smaller drawing', () => {
    const pixel = pixelOf(iconPng(SVG, { sizePx: 64, isMaskable: true }), 64);
    assert.deepEqual(pixel(0, 0), GROUND);
    assert.deepEqual(pixel(32, 32), INK);
    assert.deepEqual(pixel(6, 32), GROUND);
  });

  test('a drawing that is not of that kind is refused', () => {
    assert.throws(() => iconPng(SVG.replace('rx="8"', ''), { sizePx: 64 }), /drawn otherwise/);
  });
});
