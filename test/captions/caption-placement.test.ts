import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Cue, CueClock } from '../../lib/domain/captions/caption.ts';
import { CaptionLog } from '../../lib/domain/captions/caption-log.ts';
import { type CaptionedEntry, placeCues } from '../../lib/domain/captions/caption-placement.ts';
import { ticksToMs } from '../../lib/domain/ticks.ts';
import { parseCaptions } from '../../lib/media/captions/parse-captions.ts';
import { formatCaptionSegment } from '../../lib/playlist/webvtt.ts';

const SECOND = 90_000;
const FRAME = SECOND / 30;
const WRAP = 2 ** 33;
const START_MS = Date.UTC(2026, 0);

/** Entries of two runs, the second behind a pause; the first run's clock begins anywhere, also near a wrap. */
const timeline = fc
  .record({
    zero: fc.oneof(
      fc.integer({ min: 10 * SECOND, max: 200 * 3600 * SECOND }),
      fc.integer({ min: WRAP - 20 * SECOND, max: WRAP + 20 * SECOND }),
    ),
    durations: fc.array(fc.integer({ min: 15, max: 240 }), { minLength: 2, maxLength: 8 }),
    second: fc.integer({ min: 1, max: 7 }),
    pauseMs: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ zero, durations, second, pauseMs }): CaptionedEntry[] => {
    let offsetTicks = 0;
    let startTicks = zero;
    let atMs = START_MS;
    return durations.map((frames, index) => {
      const durationTicks = frames * FRAME;
      const isSecond = index >= second;
      if (index === second) {
        startTicks = 10 * SECOND;
        atMs += pauseMs;
      }
      const entry = {
        ...{ run: isSecond ? 2 : 1, startTicks, durationTicks, offsetTicks },
        ...{ programDateTimeMs: atMs, discontinuity: index === second },
      };
      offsetTicks += durationTicks;
      startTicks += durationTicks;
      atMs += ticksToMs(durationTicks);
      return entry;
    });
  });

/** By milliseconds, as WebVTT has them. */
const cue = fc
  .record({
    fromMs: fc.integer({ min: 0, max: 40_000 }),
    forMs: fc.integer({ min: 1, max: 150_000 }),
  })
  .map(({ fromMs, forMs }) => ({ from: fromMs * 90, to: (fromMs + forMs) * 90 }));

const sets = fc.array(
  fc.record({
    clock: fc.constantFrom<CueClock>('start', 'wall', 'run 1', 'run 2'),
    cues: fc.array(cue, { maxLength: 6 }),
  }),
  { maxLength: 4 },
);

const originOf = (clock: CueClock, entry: CaptionedEntry): number | undefined => {
  if (clock === 'start') return entry.offsetTicks;
  if (clock === 'wall') return entry.programDateTimeMs * 90;
  return clock === `run ${entry.run}` ? entry.startTicks : undefined;
};

test('captions: every frame of a segment shows the cues that cover it and no others, as its WebVTT is read', () => {
  fc.assert(
    fc.property(timeline, sets, (entries, given) => {
      const [first] = entries;
      assert.ok(first);
      const log = new CaptionLog();
      const all = given.map(({ clock, cues }, set) => {
        const zero =
          clock === 'wall'
            ? START_MS * 90
            : clock === 'run 1'
              ? first.startTicks
              : clock === 'run 2'
                ? 10 * SECOND
                : 0;
        const timed = cues.map(
          ({ from, to }, index): Cue => ({
            from: from + zero,
            to: to + zero,
            text: `${set}.${index}`,
          }),
        );
        const version = set + 1;
        log.add({ version, track: 'de', set: `${set}` }, { clock, cues: timed });
        return { clock, cues: timed };
      });
      const version = all.length;
      for (const entry of entries) {
        const { startTicks, durationTicks } = entry;
        const placed = placeCues(log, entry, { track: 'de', version, since: version });
        const text = formatCaptionSegment(placed, startTicks);
        const read = text.includes('-->') ? parseCaptions(Buffer.from(text)).cues : [];
        const zero = Math.floor(startTicks / WRAP) * WRAP;
        for (let frame = 0; frame < durationTicks; frame += FRAME) {
          // In the middle of the frame: WebVTT rounds to milliseconds.
          const at = startTicks + frame + FRAME / 2;
          const shown = read.filter(({ from, to }) => from + zero <= at && at < to + zero);
          const wanted = all.flatMap(({ clock, cues }) => {
            const origin = originOf(clock, entry);
            if (origin === undefined) return [];
            const own = origin + frame + FRAME / 2;
            return cues.filter(({ from, to }) => from <= own && own < to);
          });
          const near = (ticks: number) => Math.abs(ticks - at) < 90;
          if (read.some(({ from, to }) => near(from + zero) || near(to + zero))) continue;
          assert.deepEqual(
            shown.map((one) => one.text).sort(),
            wanted.map((one) => one.text).sort(),
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('captions: a segment printed with an older version is what it was', () => {
  const entry = {
    ...{ run: 1, startTicks: 10 * SECOND, durationTicks: 4 * SECOND, offsetTicks: 0 },
    programDateTimeMs: START_MS,
  };
  const change = fc.record({
    set: fc.constantFrom('a', 'b', 'c', undefined),
    text: fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const log = new CaptionLog();
      const print = (version: number) =>
        formatCaptionSegment(
          placeCues(log, entry, { track: 'de', version, since: version }),
          entry.startTicks,
        );
      const printed = [print(0)];
      for (const [index, { set, text }] of changes.entries()) {
        const cues = text === undefined ? [] : [{ from: 0, to: SECOND, text }];
        const named = set === undefined ? {} : { set };
        log.add({ version: index + 1, track: 'de', ...named }, { clock: 'start', cues });
        printed.push(print(index + 1));
      }
      assert.deepEqual(
        printed.map((_, version) => print(version)),
        printed,
      );
    }),
  );
});

test('captions: a cue that goes on over the wrap of 33 bits begins there', () => {
  const log = new CaptionLog();
  const cues = [{ from: 8 * SECOND, to: 12 * SECOND, text: 'over' }];
  log.add({ version: 1, track: 'de', set: 'a' }, { clock: 'start', cues });
  const print = (startTicks: number, offsetTicks: number) => {
    const entry = {
      run: 1,
      startTicks,
      durationTicks: 10 * SECOND,
      offsetTicks,
      programDateTimeMs: 0,
    };
    const placed = placeCues(log, entry, { track: 'de', version: 1, since: 1 });
    return formatCaptionSegment(placed, startTicks).match(/\d\S* --> .*/)?.[0];
  };
  // 2^33 ticks are 26:30:43.718.
  assert.equal(print(WRAP - 10 * SECOND, 0), '26:30:41.718 --> 26:30:45.718');
  assert.equal(print(WRAP, 10 * SECOND), '00:00:00.000 --> 00:00:02.000');
});

test('captions: what comes late is not added behind a discontinuity, whose clock is another', () => {
  const log = new CaptionLog();
  const cues = [{ from: 8 * SECOND, to: 9 * SECOND, text: 'late' }];
  log.add({ version: 1, track: 'de', set: 'a' }, { clock: 'start', cues });
  const entry = {
    ...{ run: 2, startTicks: 10 * SECOND, durationTicks: 4 * SECOND, offsetTicks: 10 * SECOND },
    programDateTimeMs: START_MS,
  };
  const view = { track: 'de', version: 1, since: 0 };
  assert.deepEqual(
    placeCues(log, entry, view).map(({ from }) => from),
    [8 * SECOND],
  );
  assert.deepEqual(placeCues(log, { ...entry, discontinuity: true }, view), []);
});

test('captions: what an encoder repeats in its next piece is shown once', () => {
  const log = new CaptionLog();
  const [goesOn, other] = [
    { from: 3 * SECOND, to: 5 * SECOND, text: 'goes on' },
    { from: 3 * SECOND, to: 5 * SECOND, text: 'goes on', settings: 'line:0' },
  ];
  log.add({ version: 1, track: 'de', set: 'segment/0' }, { clock: 'run 1', cues: [goesOn] });
  log.add({ version: 2, track: 'de', set: 'segment/1' }, { clock: 'run 1', cues: [goesOn, other] });
  const entry = {
    ...{ run: 1, startTicks: 0, durationTicks: 4 * SECOND, offsetTicks: 0 },
    programDateTimeMs: START_MS,
  };
  const placed = placeCues(log, entry, { track: 'de', version: 2, since: 2 });
  assert.deepEqual(
    placed.map(({ settings }) => settings),
    [undefined, 'line:0'],
  );
});
