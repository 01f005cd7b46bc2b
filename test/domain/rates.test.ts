import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { averageBps, boundBps, measureSegment } from '../../lib/domain/rates.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';

const TARGET_TICKS = 2 * TICKS_PER_SECOND;

/** Segments as kilobits and seconds, in order. */
const measure = (...segments: readonly (readonly [kilobits: number, seconds: number])[]) =>
  segments.reduce<ReturnType<typeof measureSegment> | undefined>(
    (before, [kilobits, seconds]) =>
      measureSegment(before, kilobits * 125, seconds * TICKS_PER_SECOND, TARGET_TICKS),
    undefined,
  ) ?? assert.fail('no segment');

describe('the peak rate of a rendition', () => {
  for (const [title, segments, kbps] of [
    [
      'is that of its largest segment',
      [
        [2000, 2],
        [4000, 2],
        [1000, 2],
      ],
      2000,
    ],
    [
      'does not count a short segment alone: 0.5 s of a target duration of 2 s',
      [
        [2000, 2],
        [2000, 0.5],
      ],
      1600,
    ],
    [
      'counts a segment of half a target duration alone',
      [
        [2000, 2],
        [2000, 1],
      ],
      2000,
    ],
    [
      'counts several short ones together, up to 1.5 target durations',
      [
        [500, 0.5],
        [1500, 0.5],
        [1500, 0.5],
      ],
      3000,
    ],
    ['of a single short segment is that over half a target duration', [[600, 0.3]], 600],
  ] as const) {
    test(title, () => assert.equal(measure(...segments).peakBps, kbps * 1000));
  }

  test('is an upper bound of every row of segments that lasts 0.5 to 1.5 target durations', () => {
    const segments = [0.4, 2, 0.7, 1.1, 0.3, 0.3, 2, 2.9, 0.2].map(
      (seconds, index) => [100 * ((index * 7) % 5) + 50, seconds] as const,
    );
    const { peakBps } = measure(...segments);
    for (let from = 0; from < segments.length; from += 1) {
      for (let to = from + 1; to <= segments.length; to += 1) {
        const row = segments.slice(from, to);
        const seconds = row.reduce((sum, [, one]) => sum + one, 0);
        const bits = row.reduce((sum, [kilobits]) => sum + kilobits * 1000, 0);
        if (seconds < 1 || seconds > 3) continue;
        assert.ok(bits / seconds <= peakBps + 1, `${from} to ${to}`);
      }
    }
  });

  test('keeps only the segments that the next one can be a row with', () => {
    const segments = Array.from({ length: 100 }, () => [100, 0.5] as const);
    assert.ok((measure(...segments).newest?.length ?? 0) <= 6);
  });
});

test('the average rate of a rendition is all its bytes over all its time', () => {
  assert.equal(averageBps(measure([2000, 2], [500, 0.5])), 1_000_000);
});

describe('the declared bound of a rendition', () => {
  const video = {
    ...({ kind: 'video', codecString: 'avc1.64001f', widthPx: 1280, heightPx: 720 } as const),
    framesPerSecond: 30,
    maxrateBps: 2_000_000,
  } as const;

  test('is what the encoder may use while the stream is live, however little it used so far', () => {
    assert.equal(boundBps({ info: video, peakBps: 100_000 }, 2, true), 2_550_000);
    assert.equal(boundBps({ info: video, peakBps: 2_600_000 }, 2, true), 2_600_000);
  });

  test('is that of the encoder whose pieces stand in for its own', () => {
    const listed = { info: video, peakBps: 100_000, maxrateBps: 4_000_000 };
    assert.equal(boundBps(listed, 2, true), 5_100_000);
  });

  test('of live audio leaves room, and does not take silence at the start for its rate', () => {
    const info = { kind: 'audio', codecString: 'mp4a.40.2', channels: 2 } as const;
    const bound = (peakBps: number) =>
      boundBps({ info: { ...info, sampleRateHz: 48_000, language: 'und' }, peakBps }, 2, true);
    assert.equal(bound(128_000), 140_800);
    assert.equal(bound(3000), 160_000);
  });

  test('is what was measured when the stream has ended', () => {
    assert.equal(boundBps({ info: video, peakBps: 100_000 }, 2, false), 100_000);
  });
});
