import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { segmentOf } from '../../lib/pipeline/view/listed-segment.ts';
import { START_MS } from '../support/engine.ts';

test('picture and sound that are decoded at different times have dates as far apart', () => {
  const entry = {
    ...{ run: 1, number: 0, startTicks: 900_000, durationTicks: 180_000, offsetTicks: 0 },
    ...{ programDateTimeMs: START_MS, discontinuity: false, renditions: {} },
  };
  const dateOf = (piece: object, leadTicks: number): number => {
    const stored = { key: 'media/a.m4s', initKey: 'media/init.mp4', sizeBytes: 1, ...piece };
    const listed = { rendition: 'any', piece: stored, initKey: 'media/init.mp4', leadTicks };
    return segmentOf(newStream('show', START_MS), entry, listed).programDateTimeMs - START_MS;
  };
  assert.equal(dateOf({}, 7200), -80);
  assert.equal(dateOf({ startTicks: 898_200, durationTicks: 180_000 }, 0), -20);
});
