import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codecArguments, cutDurations, isCopyable } from '../../lib/encoder/cutting.ts';
import type { ProbedVideo } from '../../lib/encoder/probe.ts';

const video = (
  keyframeSeconds: readonly number[],
  endSeconds: number,
  codec = 'h264',
): ProbedVideo => ({
  codec,
  rotated: false,
  closed: true,
  keyframeSeconds,
  startSeconds: keyframeSeconds[0] ?? 0,
  endSeconds,
});

const every = (seconds: number, end: number, start = 0): number[] =>
  Array.from({ length: Math.ceil(end / seconds) }, (_, n) => start + n * seconds);

test('cutting: segments begin at the first keyframe past each multiple of the segment length', () => {
  assert.deepEqual(cutDurations(video(every(1, 10), 10), 4), [4, 4, 2]);
  assert.deepEqual(cutDurations(video(every(3, 18), 18), 4), [6, 3, 3, 6]);
  assert.deepEqual(cutDurations(video(every(2, 6, 100), 106), 2), [2, 2, 2]);
});

test('cutting: H.264 is copied if every segment decodes alone and none is much longer than asked for', () => {
  assert.equal(isCopyable(video(every(2, 60), 60), 4, false), true);
  assert.equal(isCopyable(video(every(8, 60), 60), 4, false), true, 'longer, but all alike');
  assert.equal(isCopyable(video(every(8, 60), 60), 2, true), false, 'too long for live');
  assert.equal(isCopyable(video([0, 4, 8, 19], 21), 4, false), true, 'one is longer');
  assert.equal(isCopyable(video([0, 4, 8, 21], 23), 4, false), false, 'one is too long');
  assert.equal(isCopyable(video([0], 300), 4, false), false);
  assert.equal(isCopyable(video([], 0), 4, false), false);
  assert.equal(isCopyable(video([1], 4), 4, false), true, 'a short file');
  assert.equal(
    isCopyable(video([1], 4), 4, true),
    false,
    'a source of which no second keyframe came',
  );
  assert.equal(isCopyable(video(every(2, 60), 60, 'hevc'), 4, false), false);
  assert.equal(isCopyable({ ...video(every(2, 60), 60), rotated: true }, 4, false), false);
  assert.equal(isCopyable({ ...video(every(2, 60), 60), closed: false }, 4, false), false);
});

test('cutting: AAC-LC is copied track by track, and a bit rate or size means re-encoding unless --copy forces copying', () => {
  const probe = {
    startSeconds: 0,
    video: video(every(2, 10), 10),
    audio: [
      { codec: 'aac', profile: 'LC' },
      { codec: 'ac3', profile: '' },
    ],
  };
  const common = { segmentSeconds: 4, live: false, light: false };
  const copied = codecArguments(probe, common).join(' ');
  assert.match(copied, /-c:v copy .*-c:a:0 copy -c:a:1 aac/);
  assert.match(
    codecArguments(probe, { ...common, bitrateBps: 1e6 }).join(' '),
    /libx264 .*-b:v 1000000/,
  );
  assert.match(
    codecArguments(undefined, common).join(' '),
    /libx264 .*gte\(t,n_forced\*4\).*-c:a aac/,
  );
  assert.match(
    codecArguments(undefined, { ...common, video: 'copy' }).join(' '),
    /-c:v copy -c:a copy/,
  );
});
