import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posterSize } from '../../lib/ffmpeg/transcode-args.ts';

test('a poster has the shape of the picture, at most 640 pixels on a side, and is never enlarged', () => {
  const sizeOf = (widthPx: number, heightPx: number) =>
    Object.values(posterSize({ widthPx, heightPx }));
  assert.deepEqual(sizeOf(1920, 1080), [640, 360]);
  assert.deepEqual(sizeOf(1080, 1920), [360, 640]);
  assert.deepEqual(sizeOf(854, 480), [640, 360]);
  assert.deepEqual(sizeOf(320, 181), [320, 180]);
  assert.deepEqual(sizeOf(8192, 16), [640, 2]);
});
