import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeSegments } from '../support/media.ts';
import { seamGaps } from './measure-seams.ts';
import { transcodeRun } from './segment-run.ts';

describe('a segment without picture, in a run that has one,', () => {
  for (const [rate, frames] of [
    ['25', 50],
    ['30000/1001', 60],
  ] as const) {
    test(`is black at ${rate} fps, and abuts what is before and behind it`, async () => {
      const [seen, heard] = await Promise.all([
        makeSegments({ seconds: 6, rate }),
        makeSegments({ seconds: 6, video: 'none' }),
      ]);
      const [first = assert.fail(), , third = assert.fail()] = seen.segments;
      const second = heard.segments[1] ?? assert.fail();
      const { renditions, results } = await transcodeRun({ segments: [first, second, third] });
      for (const name of ['180p', '90p']) {
        const rung = renditions[name] ?? assert.fail(name);
        assert.equal(rung.inits.size, 1);
        assert.deepEqual(seamGaps(rung), [0, 0]);
        const black = rung.pieces[1]?.samples ?? [];
        // Its sound ends some frames before the next picture; the last frame lasts until there.
        assert.ok(Math.abs(black.length - frames) <= 3, `${black.length} frames`);
        const bytes = black.reduce((sum, sample) => sum + sample.bytes.byteLength, 0);
        assert.ok(bytes < 5000, `${bytes} bytes`);
      }
      assert.ok(results[1]?.pieces[0]?.renditions.audio);
    });
  }
});
