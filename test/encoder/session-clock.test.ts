import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileClock, SessionClock } from '../../lib/encoder/session-clock.ts';

const beginnings = (
  ...cuts: readonly (readonly [seconds: number | undefined, nowMs: number])[]
) => {
  const clock = new SessionClock();
  return cuts.map(([seconds, nowMs]) => clock.beginOf(seconds, nowMs));
};

test('wall clock of segments: media that goes on is counted, however late a cut comes', () => {
  assert.deepEqual(beginnings([2, 12_000], [2, 15_000], [2, 16_000]), [10_000, 12_000, 14_000]);
});

test('wall clock of segments: a first cut that came late is put right by the next', () => {
  assert.deepEqual(beginnings([2, 13_000], [2, 14_000]), [11_000, 12_000]);
});

test('wall clock of segments: a clock that was set, and media that was lost, are followed', () => {
  assert.deepEqual(
    beginnings([2, 12_000], [2, 3_614_000], [2, 3_616_000], [2, 20_000]),
    [10_000, 3_612_000, 3_614_000, 18_000],
  );
});

test('wall clock of segments: one of unknown length has none, and the next has its own', () => {
  assert.deepEqual(beginnings([2, 12_000], [undefined, 14_000], [2, 16_500]), [
    10_000,
    undefined,
    14_500,
  ]);
});

test('wall clock of segments: those of a file are counted from the start of the stream', () => {
  const clock = new FileClock(10_000);
  const begins = [4, 3.5, undefined, 4].map((seconds) => clock.beginOf(seconds));
  assert.deepEqual(begins, [10_000, 14_000, undefined, undefined]);
});
