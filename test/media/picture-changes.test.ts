import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ffmpeg } from '../support/ffmpeg.ts';
import { renditionsOf, transcodeRun } from './segment-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-picture-changes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** One segment of a second of each size, 25 frames a second. */
async function segmentOf(sizes: readonly string[]) {
  const parts: Buffer[] = [];
  for (const [index, size] of sizes.entries()) {
    const path = join(folder, `${index}.ts`);
    await ffmpeg([
      ...['-f', 'lavfi', '-i', `color=white:s=${size}:r=25:d=1`, '-c:v', 'libx264', '-bf', '0'],
      ...['-output_ts_offset', String(10 + index), '-muxdelay', '0', '-f', 'mpegts', '-y', path],
    ]);
    parts.push(readFileSync(path));
  }
  return { container: 'ts', segments: [{ bytes: Buffer.concat(parts) }] };
}

/** Columns from the left and rows from the top that are black, by the frame. */
async function borders(bytes: Uint8Array, widthPx: number, heightPx: number) {
  const path = join(folder, 'made.mp4');
  writeFileSync(path, bytes);
  const out = join(folder, 'frames.gray');
  await ffmpeg([
    '-i',
    path,
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    '-y',
    out,
  ]);
  const frames = readFileSync(out);
  const middle = { column: widthPx >> 1, row: heightPx >> 1 };
  return Array.from({ length: frames.length / (widthPx * heightPx) }, (_, index) => {
    const at = (column: number, row: number) =>
      frames[index * widthPx * heightPx + row * widthPx + column] ?? 0;
    let left = 0;
    while (left < widthPx && at(left, middle.row) < 100) left += 1;
    let top = 0;
    while (top < heightPx && at(middle.column, top) < 100) top += 1;
    return { left, top };
  });
}

describe('a picture whose size changes inside a segment', () => {
  test('keeps its shape in each of its sizes, and every frame', async () => {
    const clip = await segmentOf(['320x180', '180x320', '640x360']);
    const { results } = await transcodeRun(clip as never, {
      ladder: [{ name: '180p', shortSidePx: 180, maxrateBps: 400_000 }],
    });
    const { init, media } = renditionsOf(results[0] ?? assert.fail())['180p'] ?? assert.fail();
    const frames = await borders(Buffer.concat([init, media]), 320, 180);
    assert.equal(frames.length, 75);
    for (const [index, { left, top }] of frames.entries()) {
      const expected = index >= 25 && index < 50 ? 110 : 0;
      assert.ok(Math.abs(left - expected) <= 2, `frame ${index}: ${left} black columns`);
      assert.ok(top <= 1, `frame ${index}: ${top} black rows`);
    }
  });
});
