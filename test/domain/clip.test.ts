import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  BOUND_SLACK_TICKS,
  type ClipBounds,
  ClipSelection,
  checkBounds,
  isBehind,
} from '../../lib/domain/clip.ts';
import type { RecordedEntry } from '../../lib/domain/recording.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const PIECE = { key: 'k', initKey: 'i', sizeBytes: 1 };

/** Entries of these durations; a negative one is a gap. The timeline begins anew at every third. */
function recording(durations: readonly number[]): readonly RecordedEntry[] {
  let offsetTicks = 0;
  return durations.map((duration, index) => {
    const durationTicks = Math.abs(duration);
    const entry: RecordedEntry = {
      ...{ run: 1, number: index, sequence: index, durationTicks, offsetTicks },
      startTicks: 900_000 + (offsetTicks % 1_000_000),
      programDateTimeMs: START_MS + offsetTicks / 90,
      discontinuity: false,
      discontinuities: 0,
      renditions: duration < 0 ? {} : { '720p': PIECE },
    };
    offsetTicks += durationTicks;
    return entry;
  });
}

function select(entries: readonly RecordedEntry[], bounds: ClipBounds) {
  const selection = new ClipSelection(bounds);
  return entries
    .filter((entry) => !isBehind(entry, bounds))
    .flatMap((entry) => selection.add(entry));
}

const durations = fc.array(
  fc
    .tuple(fc.integer({ min: 1000, max: 400_000 }), fc.boolean())
    .map(([ticks, isGap]) => (isGap ? -ticks : ticks)),
  { minLength: 1, maxLength: 12 },
);

describe('a clip', () => {
  test('has every tick of its span but those of gaps at its ends, once and in order', () => {
    fc.assert(
      fc.property(
        durations,
        fc.nat(3_000_000),
        fc.integer({ min: 1, max: 3_000_000 }),
        (given, from, length) => {
          const entries = recording(given);
          const bounds = { from: { offsetTicks: from }, to: { offsetTicks: from + length } };
          const parts = select(entries, bounds);
          const spans = parts.map(({ entry, fromTicks, toTicks }) => {
            const shift = entry.offsetTicks - entry.startTicks;
            return [fromTicks + shift, toTicks + shift] as const;
          });
          const isGap = (entry: RecordedEntry) => Object.keys(entry.renditions).length === 0;
          assert.deepEqual(
            parts.filter(({ entry }) => !isGap(entry)).map(({ entry }) => entry.number),
            entries
              .filter(
                (entry) => !isGap(entry) && overlap(entry, from, from + length) > BOUND_SLACK_TICKS,
              )
              .map(({ number }) => number),
          );
          for (const [index, [start, end]] of spans.entries()) {
            assert.ok(start >= from && end <= from + length && end > start);
            const next = spans[index + 1]?.[0] ?? end;
            assert.ok(next >= end && next - end <= BOUND_SLACK_TICKS);
          }
          for (const edge of [parts[0], parts.at(-1)]) assert.ok(!edge || !isGap(edge.entry));
        },
      ),
    );
  });

  test('is the same by seconds and by instants', () => {
    fc.assert(
      fc.property(
        durations,
        fc.nat(30_000),
        fc.integer({ min: 1, max: 30_000 }),
        (given, fromMs, ms) => {
          const entries = recording(given);
          const bySeconds = {
            from: { offsetTicks: fromMs * 90 },
            to: { offsetTicks: (fromMs + ms) * 90 },
          };
          const byInstants = {
            from: { instantMs: START_MS + fromMs },
            to: { instantMs: START_MS + fromMs + ms },
          };
          assert.deepEqual(select(entries, byInstants), select(entries, bySeconds));
        },
      ),
    );
  });

  test('of a live stream ends where the stream is, or before', () => {
    const live = { endOffsetTicks: 900_000, endProgramDateTimeMs: START_MS + 10_000 };
    const at = (seconds: number) => ({ offsetTicks: seconds * 90_000 });
    assert.doesNotThrow(() => checkBounds({ from: at(1), to: at(10) }, live));
    assert.doesNotThrow(() => checkBounds({ to: { instantMs: START_MS + 10_001 } }, live));
    assert.throws(() => checkBounds({ to: at(10.002) }, live), { code: 'moment_not_found' });
    assert.throws(() => checkBounds({ from: at(1) }, live), { code: 'bad_request' });
    const ended = { ...live, endedAtMs: START_MS + 10_000 };
    assert.doesNotThrow(() => checkBounds({ from: at(1), to: at(99) }, ended));
    assert.doesNotThrow(() => checkBounds({}, ended));
    assert.throws(() => checkBounds({ from: at(2), to: at(2) }, ended), { code: 'bad_request' });
  });
});

const overlap = ({ offsetTicks, durationTicks }: RecordedEntry, from: number, to: number): number =>
  Math.min(to, offsetTicks + durationTicks) - Math.max(from, offsetTicks);
