import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArrivalClock } from '../../web/studio/arrival-clock.ts';
import { SampleClock, type SoundPlacement } from '../../web/studio/sample-clock.ts';

describe('the clock of the pictures in the studio', () => {
  test('arrival clock: a frame is placed by the quickest frame of the first second', () => {
    const clock = new ArrivalClock();
    // A camera whose clock began 1151.8 s before the page's; the first frame is 80 ms late.
    clock.place(1_151_800_000, 180);
    assert.equal(clock.place(1_151_833_000, 140), 140);
    assert.equal(clock.isSettled(1000), false);
    assert.equal(clock.isSettled(1181), true);
    assert.equal(clock.place(1_152_833_000, 1200), 1140, 'it came 60 ms after the quickest');
  });

  test('arrival clock: two tracks of one moment have one time, wherever their zeros are', () => {
    fc.assert(
      fc.property(fc.nat(4e9), fc.array(fc.integer({ min: 0, max: 60 })), (zeroUs, delays) => {
        const clock = new ArrivalClock();
        clock.place(zeroUs, 5000);
        for (const [index, delayMs] of delays.entries()) {
          const takenMs = 5000 + 33 * (index + 1);
          const placed = clock.place(zeroUs + 33_000 * (index + 1), takenMs + delayMs);
          assert.ok(Math.abs(placed - takenMs) < 0.01);
        }
      }),
    );
  });

  test('arrival clock: a track whose timestamps jump gets a new zero', () => {
    const clock = new ArrivalClock();
    clock.place(0, 0);
    assert.equal(clock.place(2_000_000, 2000), 2000);
    assert.equal(clock.place(9_000_000, 2033), 2033, 'into the future');
    assert.equal(clock.place(10_500_000, 3533), 3533);
    assert.equal(clock.place(500_000, 3566), 3566, 'into the past');
  });
});

/** A microphone of 100 blocks a second; its rate may be wrong by some parts per million. */
class Microphone {
  readonly clock: SampleClock;
  readonly #rateHz: number;
  readonly #blockMs: number;
  #timestampUs = 990_000;
  #wallMs = 0;

  constructor(rateHz: number, ppm = 0) {
    this.#rateHz = rateHz;
    this.#blockMs = 10 * (1 - ppm / 1e6);
    this.clock = new SampleClock(rateHz);
  }

  get wallMs(): number {
    return this.#wallMs;
  }

  /** Blocks that were taken before are lost. */
  lose(milliseconds: number): void {
    this.#timestampUs += milliseconds * 1000;
    this.#wallMs += milliseconds;
  }

  jump(milliseconds: number): void {
    this.#timestampUs += milliseconds * 1000;
  }

  /** The source stands still, and its timestamps with it. */
  stall(milliseconds: number): void {
    this.#wallMs += milliseconds;
  }

  block(lateMs = 0): SoundPlacement | undefined {
    this.#wallMs += this.#blockMs;
    const samples = this.#rateHz / 100;
    const timestampUs = this.#timestampUs;
    this.#timestampUs += 10_000;
    const block = { timestampUs, samples, rateHz: this.#rateHz };
    return this.clock.place(block, this.#wallMs + lateMs);
  }

  /** What was changed in so many seconds. */
  run(seconds: number): SoundPlacement[] {
    const changes: SoundPlacement[] = [];
    for (let index = 0; index < seconds * 100; index += 1) {
      const placement = this.block();
      if (placement?.silenceSamples || placement?.skipSamples) changes.push(placement);
    }
    return changes;
  }

  /** How far the sound is from the wall clock; positive: it is early. */
  get aheadMs(): number {
    return this.clock.endMs - this.#wallMs;
  }
}

describe('the clock of the sound in the studio', () => {
  test('sample clock: the first second tells the zero of the track, and is not encoded', () => {
    const microphone = new Microphone(44_100);
    assert.equal(microphone.block(35), undefined);
    microphone.run(2);
    assert.ok(Math.abs(microphone.aheadMs) < 1);
    assert.deepEqual(microphone.block(), { silenceSamples: 0, skipSamples: 0 });
  });

  test('sample clock: a gap of the source becomes silence of its length', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    microphone.lose(250);
    assert.deepEqual(microphone.block(), { silenceSamples: 12_000, skipSamples: 0 });
    assert.deepEqual(microphone.run(30), []);
    assert.ok(Math.abs(microphone.aheadMs) < 1);
  });

  test('sample clock: a gap of less than 15 ms is rounding', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    microphone.lose(14);
    assert.deepEqual(microphone.block(), { silenceSamples: 0, skipSamples: 0 });
  });

  test('sample clock: timestamps that jump back, or forward again, change nothing', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    microphone.jump(-3300);
    assert.deepEqual(microphone.run(5), []);
    microphone.jump(3300);
    assert.deepEqual(microphone.run(20), [], 'no block is missing by the wall clock');
    assert.ok(Math.abs(microphone.aheadMs) < 1);
  });

  test('sample clock: blocks that come late and all at once change nothing', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    const late = Array.from({ length: 40 }, (_, index) => microphone.block(400 - 10 * index));
    assert.ok(late.every((one) => one?.silenceSamples === 0 && one.skipSamples === 0));
    assert.deepEqual(microphone.run(30), []);
  });

  for (const ppm of [-300, 300]) {
    test(`sample clock: a sound card that is ${ppm} ppm off stays within 50 ms for an hour, in steps of 40 ms`, () => {
      const microphone = new Microphone(48_000, ppm);
      microphone.run(2);
      let corrections = 0;
      for (let minute = 0; minute < 60; minute += 1) {
        const changes = microphone.run(60);
        for (const { silenceSamples } of changes)
          if (silenceSamples > 0) assert.ok(silenceSamples >= 1900, String(silenceSamples));
        corrections += changes.length;
        assert.ok(Math.abs(microphone.aheadMs) < 50, `${microphone.aheadMs} ms at ${minute} min`);
      }
      assert.ok(corrections > 0);
    });
  }

  test('sample clock: a source that stands still with its timestamps is made up for by silence', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    microphone.stall(5000);
    const samples = microphone.clock.fill(microphone.wallMs);
    assert.ok(Math.abs(samples / 48 - 4500) < 2, `${samples / 48} ms`);
    assert.equal(microphone.clock.fill(microphone.wallMs), 0);
    microphone.run(25);
    assert.ok(Math.abs(microphone.aheadMs) < 50, `${microphone.aheadMs} ms`);
  });

  test('sample clock: a source that goes on is not made up for', () => {
    const microphone = new Microphone(48_000);
    microphone.run(2);
    assert.equal(microphone.clock.fill(microphone.wallMs + 400), 0);
  });
});
