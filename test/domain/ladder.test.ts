import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LADDER, pictureForSegment, planLadder } from '../../lib/domain/ladder.ts';

const plan = (widthPx: number, heightPx: number, framesPerSecond = 30): string[] =>
  planLadder(DEFAULT_LADDER, { widthPx, heightPx, framesPerSecond }).map(
    (rung) => `${rung.name} ${rung.widthPx}x${rung.heightPx} @${rung.level}`,
  );

test('ladder: the plan has the rungs that fit the source', () => {
  assert.deepEqual(plan(1920, 1080), [
    '1080p 1920x1080 @4.0',
    '720p 1280x720 @3.1',
    '480p 852x480 @3.1',
    '360p 640x360 @3.0',
    '240p 426x240 @3.0',
  ]);
  assert.deepEqual(plan(1080, 1920, 60).slice(0, 2), [
    '1080p 1080x1920 @4.2',
    '720p 720x1280 @3.2',
  ]);
  assert.deepEqual(plan(1440, 1080)[1], '720p 960x720 @3.1');
  assert.deepEqual(plan(1280, 720), [
    '720p 1280x720 @3.1',
    '480p 852x480 @3.1',
    '360p 640x360 @3.0',
    '240p 426x240 @3.0',
  ]);
  // Between two rungs: the upper one at the source's own size, unless it hardly differs.
  assert.deepEqual(plan(1600, 900)[0], '1080p 1600x900 @4.0');
  assert.deepEqual(plan(853, 481), ['480p 850x480 @3.1', '360p 638x360 @3.0', '240p 426x240 @3.0']);
  // The lowest rung is for slow lines: a small source is not limited to its rate.
  assert.deepEqual(plan(426, 240), ['360p 426x240 @3.0', '240p 426x240 @3.0']);
  assert.deepEqual(plan(320, 180), ['360p 320x180 @3.0', '240p 320x180 @3.0']);
});

test('ladder: no rung is larger than the source, and all sides are even', () => {
  const side = fc.integer({ min: 16, max: 4320 });
  fc.assert(
    fc.property(side, side, (widthPx, heightPx) => {
      const rungs = planLadder(DEFAULT_LADDER, { widthPx, heightPx, framesPerSecond: 30 });
      assert.ok(rungs.length > 0);
      for (const rung of rungs) {
        assert.ok(rung.widthPx <= widthPx && rung.heightPx <= heightPx);
        assert.equal((rung.widthPx % 2) + (rung.heightPx % 2), 0);
      }
      const heights = rungs.map((rung) => Math.min(rung.widthPx, rung.heightPx));
      assert.deepEqual(
        heights,
        heights.toSorted((a, b) => b - a),
      );
    }),
  );
});

test('ladder: a segment is planned like the first of its run, and taller where it is taller itself', () => {
  const run = { widthPx: 640, heightPx: 360, framesPerSecond: 25 };
  const of = (widthPx: number, heightPx: number) =>
    pictureForSegment(run, { widthPx, heightPx, framesPerSecond: 25 });
  assert.deepEqual(of(320, 180), run);
  assert.deepEqual(of(640, 360), run);
  assert.deepEqual(of(1920, 1080), { widthPx: 1920, heightPx: 1080, framesPerSecond: 25 });
  // A picture of another shape is fitted into that of the run.
  assert.deepEqual(of(720, 1280), { widthPx: 1280, heightPx: 720, framesPerSecond: 25 });
});

test('ladder: a segment with more frames gets a higher level', () => {
  const run = { widthPx: 1280, heightPx: 720, framesPerSecond: 1 };
  const rungOf = (framesPerSecond: number, first = run) => {
    const [rung] = planLadder(
      DEFAULT_LADDER,
      pictureForSegment(first, { ...first, framesPerSecond }),
    );
    return rung?.level;
  };
  assert.equal(rungOf(1), '3.1');
  assert.equal(rungOf(60), '3.2');
  // Measured, not meant: 30 fps of 1080p are the most that level 4.0 takes.
  const full = { widthPx: 1920, heightPx: 1080, framesPerSecond: 30 };
  assert.equal(rungOf(30.5, full), '4.0');
  assert.equal(rungOf(50, full), '4.2');
});
