import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  advance,
  correctionOf,
  LIVE_CLOCK,
  moveTo,
  pauseClock,
  resumeClock,
  slowestDelay,
  targetOf,
  type WallClock,
} from '../../web/wall/step-keeping.ts';

const live = (clock: WallClock, elapsedMs: number, ...liveDelaysMs: readonly number[]) =>
  advance(clock, { elapsedMs, liveDelaysMs, isLoading: false });

describe('the clock of the wall', () => {
  test('wall clock: the slowest stream counts, but not one that is far off', () => {
    assert.equal(slowestDelay([]), undefined);
    assert.equal(slowestDelay([7000]), 7000);
    assert.equal(slowestDelay([6000, 8000, 7000]), 8000);
    assert.equal(slowestDelay([6000, 3_600_000]), 6000);
    assert.equal(slowestDelay([6000, -90_000, 7000]), 7000);
  });

  test('wall clock: a slower stream holds all back at once, and its going lets them catch up slowly', () => {
    let clock = live(LIVE_CLOCK, 250);
    assert.equal(targetOf(clock, 100_000), undefined);
    clock = live(clock, 250, 6000);
    clock = live(clock, 250, 6000, 9000);
    assert.equal(targetOf(clock, 100_000), 91_000);
    clock = live(clock, 250, 6000, 8500);
    assert.equal(clock.delayMs, 9000, 'it varies by so much');
    clock = live(clock, 250);
    assert.equal(clock.delayMs, 9000, 'a drop-out moves nothing');
    clock = live(clock, 1000, 6000);
    assert.equal(clock.delayMs, 8960);
  });

  test('wall clock: tiles that load are waited for in the past, and not for ever', () => {
    let clock = moveTo(LIVE_CLOCK, 50_000, 100_000, [6000]);
    assert.deepEqual([clock.mode, targetOf(clock, 101_000)], ['past', 51_000]);
    for (let count = 0; count < 30; count += 1) {
      clock = advance(clock, { elapsedMs: 250, liveDelaysMs: [6000], isLoading: true });
    }
    assert.equal(targetOf(clock, 107_500), 53_500);
    clock = advance(clock, { elapsedMs: 250, liveDelaysMs: [6000], isLoading: false });
    assert.equal(clock.waitedMs, 0);
  });

  test('wall clock: a pause holds the instant, a move in a pause too, and playing goes on from there', () => {
    const playing = live(LIVE_CLOCK, 250, 6000);
    let clock = pauseClock(playing, 100_000);
    assert.equal(targetOf(clock, 999_000), 94_000);
    clock = moveTo(clock, 93_960, 120_000, [6000]);
    assert.equal(targetOf(clock, 999_000), 93_960);
    clock = resumeClock(clock, 130_000);
    assert.equal(targetOf(clock, 131_000), 94_960);
    assert.equal(resumeClock(playing, 5), playing);
  });

  test('wall clock: the end of the slider is the live edge', () => {
    const past = moveTo(LIVE_CLOCK, 20_000, 100_000, [6000]);
    assert.equal(moveTo(past, 93_500, 100_000, [6000]).mode, 'live');
    assert.equal(moveTo(past, 98_000, 100_000, [6000]).mode, 'live');
    assert.equal(moveTo(past, 92_000, 100_000, [6000]).mode, 'past');
    assert.equal(moveTo(past, 98_000, 100_000, []).mode, 'past', 'of recordings there is none');
  });
});

describe('the correction of a tile', () => {
  const muted = { isPaused: false, isAudible: false };

  test('tile correction: large errors are sought, small ones played away, none below a frame', () => {
    assert.deepEqual(correctionOf(1.5, muted), { type: 'seek' });
    assert.deepEqual(correctionOf(-1.5, muted), { type: 'seek' });
    assert.deepEqual(correctionOf(0.5, muted), { type: 'rate', rate: 0.8 });
    assert.deepEqual(correctionOf(-0.5, muted), { type: 'rate', rate: 1.2 });
    assert.deepEqual(correctionOf(-0.5, { ...muted, isAudible: true }), {
      type: 'rate',
      rate: 1.04,
    });
    assert.deepEqual(correctionOf(0.01, muted), { type: 'rate', rate: 1 });
  });

  test('tile correction: a paused tile is put onto the frame', () => {
    const paused = { isPaused: true, isAudible: false };
    assert.deepEqual(correctionOf(0.02, paused), { type: 'seek' });
    assert.deepEqual(correctionOf(0.001, paused), { type: 'rate', rate: 1 });
  });

  test('tile correction: every error below the limit is gone within seconds, and none comes back', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), fc.boolean(), (error, isAudible) => {
        let left = error;
        for (let ticks = 0; ticks < (isAudible ? 140 : 60); ticks += 1) {
          const correction = correctionOf(left, { isPaused: false, isAudible });
          assert.ok(correction.type === 'rate');
          left += (correction.rate - 1) * 0.25;
        }
        assert.ok(Math.abs(left) <= 0.02, `${error} → ${left}`);
      }),
    );
  });
});
