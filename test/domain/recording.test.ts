import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type LateArrival,
  type RecordedEntry,
  RecordingBuilder,
} from '../../lib/domain/recording.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import type { TimelineEntry } from '../../lib/domain/timeline.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const TARGET_SECONDS = 4;

type Times = Readonly<{ run?: number; atSeconds?: number; seconds?: number; initKey?: string }>;

/** Segments of 4 s, but for what is said; number n at 4n seconds of the run. */
const late = (number: number, times: Times = {}): LateArrival => {
  const { run = 1, atSeconds = 4 * number, seconds = 4, initKey = 'init' } = times;
  return {
    run,
    number,
    startTicks: atSeconds * TICKS_PER_SECOND,
    durationTicks: seconds * TICKS_PER_SECOND,
    programDateTimeMs: START_MS + 1000 * (atSeconds + 1000 * (run - 1)),
    renditions: { '720p': { key: `k${run}-${number}`, initKey, sizeBytes: 1 } },
  };
};

const listed = (
  number: number,
  {
    discontinuity = false,
    gap = false,
    ...times
  }: Times & { discontinuity?: boolean; gap?: boolean } = {},
): TimelineEntry => ({
  ...late(number, times),
  ...(gap ? { renditions: {} } : {}),
  sequence: 0,
  offsetTicks: 0,
  discontinuity,
  discontinuities: 0,
});

function record(
  entries: readonly TimelineEntry[],
  arrivals: readonly LateArrival[],
): RecordedEntry[] {
  const builder = new RecordingBuilder(arrivals, TARGET_SECONDS * TICKS_PER_SECOND);
  return [...entries.flatMap((entry) => builder.add(entry)), ...builder.end()];
}

/** Number, seconds from the start of the recording and duration; `/` behind a discontinuity. */
const shown = (entries: readonly RecordedEntry[]): string[] =>
  entries.map(({ run, number, offsetTicks, durationTicks, discontinuity, renditions }) => {
    const name = renditions['720p'] ? (run === 1 ? `${number}` : `${run}:${number}`) : 'gap';
    const seconds = [offsetTicks, durationTicks].map((ticks) => ticks / TICKS_PER_SECOND);
    return `${discontinuity ? '/' : ''}${name} ${seconds.join('+')}`;
  });

describe('the recording', () => {
  test('is what was published where nothing came late, gaps and discontinuities included', () => {
    const entries = [
      listed(0),
      listed(1, { gap: true }),
      listed(2),
      listed(0, { run: 2, discontinuity: true }),
    ];
    assert.deepEqual(shown(record(entries, [])), ['0 0+4', 'gap 4+4', '2 8+4', '/2:0 12+4']);
  });

  test('has a late segment in the place of its gap, with its own duration and time', () => {
    const gap = listed(1, { gap: true, seconds: 1.8 });
    const entries = [listed(0), gap, { ...gap, number: 2 }, listed(3, { atSeconds: 7.6 })];
    const arrivals = [
      late(1, { atSeconds: 4, seconds: 2.4 }),
      late(2, { atSeconds: 6.4, seconds: 1.2 }),
    ];
    const recorded = record(entries, arrivals);
    assert.deepEqual(shown(recorded), ['0 0+4', '1 4+2.4', '2 6.4+1.2', '3 7.6+4']);
    assert.equal(recorded[2]?.programDateTimeMs, START_MS + 6400);
  });

  test('has what came before the first segment listed, and behind the last', () => {
    const entries = [listed(3)];
    const arrivals = [late(4), late(0), late(2), late(1)];
    assert.deepEqual(shown(record(entries, arrivals)), [
      '0 0+4',
      '1 4+4',
      '2 8+4',
      '3 12+4',
      '4 16+4',
    ]);
  });

  test('has a discontinuity where a rung comes back with another init segment, though it was away between', () => {
    const small = { renditions: { '360p': { key: 'small', initKey: 'small', sizeBytes: 1 } } };
    const entries = [listed(0), listed(1, { gap: true }), listed(2, { initKey: 'other' })];
    const recorded = record(entries, [{ ...late(1), ...small }]);
    assert.deepEqual(
      recorded.map(({ discontinuity }) => discontinuity),
      [false, false, true],
    );
  });

  test('keeps the times of the stream where retention has removed some of it', () => {
    const at = (sequence: number, changes: Parameters<typeof listed>[1] = {}) => ({
      ...{ ...listed(sequence, changes), sequence },
      offsetTicks: 4 * sequence * TICKS_PER_SECOND,
    });
    assert.deepEqual(shown(record([at(3), at(4), at(7)], [])), ['3 12+4', '4 16+4', '/7 28+4']);
    assert.deepEqual(
      shown(record([at(3), at(4, { gap: true }), at(5), at(9), at(10)], [late(4, { seconds: 6 })])),
      ['3 12+4', '4 16+6', '/5 22+4', '/9 38+4', '10 42+4'],
      'longer by what came late',
    );
  });

  test('has a long row of late segments in the place of a discontinuity', () => {
    const numbers = Array.from({ length: 120 }, (_, index) => index + 1);
    const entries = [listed(0), listed(121, { discontinuity: true })];
    const recorded = record(
      entries,
      numbers.map((number) => late(number)),
    );
    assert.deepEqual(
      recorded.map(({ number }) => number),
      [0, ...numbers, 121],
    );
    assert.ok(recorded.every(({ discontinuity }) => !discontinuity));
  });

  test('keeps a gap of the right length for what is still missing beside a late segment', () => {
    const entries = [
      listed(0),
      ...[1, 2, 3].map((number) => listed(number, { gap: true })),
      listed(4),
    ];
    assert.deepEqual(shown(record(entries, [late(2)])), [
      '0 0+4',
      'gap 4+4',
      '2 8+4',
      'gap 12+4',
      '4 16+4',
    ]);
  });

  test('keeps one gap for a missing segment that lasted the target duration, rounded', () => {
    const entries = [listed(0), listed(1, { gap: true }), listed(3, { atSeconds: 12.4 })];
    assert.deepEqual(shown(record(entries, [late(2, { atSeconds: 8.4 })])), [
      '0 0+4',
      'gap 4+4.4',
      '2 8.4+4',
      '3 12.4+4',
    ]);
  });

  test('has a discontinuity where the time of a late segment jumps, or its init segment is another', () => {
    const entries = [listed(0), listed(2)];
    assert.deepEqual(shown(record(entries, [late(1, { atSeconds: 500 })])), [
      '0 0+4',
      '/1 4+4',
      '/2 8+4',
    ]);
    assert.deepEqual(shown(record(entries, [late(1, { initKey: 'other' })])), [
      '0 0+4',
      '/1 4+4',
      '/2 8+4',
    ]);
  });

  test('has a late segment of an earlier run before the later run', () => {
    const entries = [listed(0), listed(0, { run: 2, discontinuity: true })];
    assert.deepEqual(shown(record(entries, [late(1)])), ['0 0+4', '1 4+4', '/2:0 8+4']);
  });

  test('has the pieces of a late segment that was cut', () => {
    const whole = late(1, { seconds: 8 });
    const half = 4 * TICKS_PER_SECOND;
    const pieces = [0, half].map((at) => ({
      startTicks: whole.startTicks + at,
      durationTicks: half,
      renditions: whole.renditions,
    }));
    const recorded = record([listed(0)], [{ ...whole, renditions: {}, pieces }]);
    assert.deepEqual(shown(recorded), ['0 0+4', '1 4+4', '1 8+4']);
    assert.equal(recorded[2]?.programDateTimeMs, START_MS + 8000);
  });

  test('has every segment once, in order, whichever of them came late', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('listed', 'gap', 'late', 'never'), {
          minLength: 1,
          maxLength: 40,
        }),
        (fates) => {
          const entries = fates.flatMap((fate, number) =>
            fate === 'listed'
              ? [listed(number)]
              : fate === 'gap'
                ? [listed(number, { gap: true })]
                : [],
          );
          const arrivals = fates.flatMap((fate, number) => (fate === 'late' ? [late(number)] : []));
          const recorded = record(entries, arrivals);
          const numbers = recorded.flatMap(({ number, renditions }) =>
            renditions['720p'] ? [number] : [],
          );
          const expected = fates.flatMap((fate, number) =>
            fate === 'listed' || fate === 'late' ? [number] : [],
          );
          assert.deepEqual(numbers, expected);
          let offset = 0;
          for (const entry of recorded) {
            assert.equal(entry.offsetTicks, offset);
            offset += entry.durationTicks;
          }
        },
      ),
    );
  });
});
