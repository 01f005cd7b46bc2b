import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSegments } from '../support/media.ts';
import { NUMBERED, numbersIn } from '../support/numbered-frames.ts';
import { transcodeRun } from './segment-run.ts';

const SOURCE = { rate: '10', size: '160x90', filter: NUMBERED, audio: 'aac' } as const;
const FRAME_TICKS = 9000;
const LADDER = [
  { name: '90p', shortSidePx: 90, maxrateBps: 200_000 },
  { name: '60p', shortSidePx: 60, maxrateBps: 100_000 },
];

test('the first bytes of a piece are its first frame alone, also over open GOPs and where it was cut', async () => {
  const clip = await makeSegments({ ...SOURCE, seconds: 4, hlsTime: 2, openGop: true });
  const { results } = await transcodeRun(clip, { ladder: LADDER, targetSeconds: 1 });
  const pieces = results.flatMap((result) => result.pieces);
  const start = pieces[0]?.startTicks ?? 0;
  const first = pieces.map((piece) => Math.round((piece.startTicks - start) / FRAME_TICKS));
  assert.ok(first.length >= 4);
  const shown: Record<string, number[]> = { '90p': [], '60p': [] };
  for (const { renditions } of pieces) {
    assert.equal(renditions.audio?.keyframeBytes, undefined);
    for (const [name, numbers] of Object.entries(shown)) {
      const { init, media, keyframeBytes = assert.fail() } = renditions[name] ?? assert.fail();
      assert.ok(keyframeBytes < media.byteLength, `${keyframeBytes} of ${media.byteLength}`);
      numbers.push(...(await numbersIn(Buffer.concat([init, media.subarray(0, keyframeBytes)]))));
    }
  }
  assert.deepEqual(shown, { '90p': first, '60p': first });
});
