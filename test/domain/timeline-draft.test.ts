import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RenderedOutcome } from '../../lib/domain/segment.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import {
  currentBroadcast,
  EMPTY_TIMELINE,
  endedBroadcast,
  type Pieces,
  type RenditionInfo,
} from '../../lib/domain/timeline.ts';
import { TimelineDraft } from '../../lib/domain/timeline-draft.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const TARGET_SECONDS = 2;
const RUN = { run: 1, anchorTicks: 10 * TICKS_PER_SECOND, anchorMs: START_MS };

const video = (heightPx: number): RenditionInfo => ({
  kind: 'video',
  codecString: 'avc1.64001f',
  widthPx: (heightPx * 16) / 9,
  heightPx,
  framesPerSecond: 25,
});
const AUDIO: RenditionInfo = {
  kind: 'audio',
  codecString: 'mp4a.40.2',
  channels: 2,
  sampleRateHz: 48_000,
  language: 'und',
};
const CATALOGUE = { '720p': video(720), '360p': video(360), audio: AUDIO };

type Renditions = Partial<Record<keyof typeof CATALOGUE, number>>;

/** Two seconds each; renditions with their kilobits. */
function outcome(
  number: number,
  kilobits: Renditions,
  more: Partial<RenderedOutcome> & Readonly<{ audioFrom?: number; audioTo?: number }> = {},
): RenderedOutcome {
  const { audioFrom, audioTo, ...rest } = more;
  const startTicks = rest.startTicks ?? (10 + 2 * number) * TICKS_PER_SECOND;
  const pieces = Object.entries(kilobits).map(([name, size]) => [
    name,
    {
      ...{ key: `${name}-${number}`, initKey: `init-${name}`, sizeBytes: size * 125 },
      ...(name === 'audio' && audioTo !== undefined
        ? {
            startTicks: startTicks + (audioFrom ?? 0),
            durationTicks: 2 * TICKS_PER_SECOND + audioTo - (audioFrom ?? 0),
          }
        : {}),
    },
  ]);
  return {
    type: 'rendered',
    ...{ run: 1, number, startTicks, durationTicks: 2 * TICKS_PER_SECOND },
    renditions: Object.fromEntries(pieces) as Pieces,
    catalogue: CATALOGUE,
    uploadedAtMs: START_MS,
    completedAtMs: START_MS,
    ...rest,
  };
}

function draftOf(
  outcomes: readonly RenderedOutcome[],
  state = EMPTY_TIMELINE,
  makeSilence?: ConstructorParameters<typeof TimelineDraft>[4],
): TimelineDraft {
  const draft = new TimelineDraft(state, RUN, TARGET_SECONDS, START_MS, makeSilence);
  for (const one of outcomes) draft.append(one);
  return draft;
}

describe('the rates of a rendition', () => {
  test('count the pieces that stand in for its own', () => {
    const { state } = draftOf([
      outcome(0, { '720p': 4000, '360p': 1000 }),
      outcome(1, { '360p': 1400 }),
    ]);
    assert.equal(state.renditions['720p']?.sizeBytes, 5400 * 125);
    assert.equal(state.renditions['720p']?.peakBps, 2_000_000);
    assert.equal(state.renditions['360p']?.peakBps, 700_000);
  });

  test('of one that comes later count what stood in for it before', () => {
    const { state } = draftOf([
      outcome(0, { '360p': 1400 }),
      outcome(1, { '720p': 1000, '360p': 600 }),
    ]);
    assert.equal(state.renditions['720p']?.peakBps, 700_000);
    assert.equal(state.renditions['720p']?.sizeBytes, 2400 * 125);
  });

  test('are limited by the encoder whose pieces it lists now', () => {
    const limited = (heightPx: number, maxrateBps: number) => ({ ...video(heightPx), maxrateBps });
    const catalogue = { '720p': limited(720, 2_500_000), '360p': limited(360, 700_000) };
    const limits = (...sizes: readonly Renditions[]) => {
      const made = sizes.map((kilobits, number) => outcome(number, kilobits, { catalogue }));
      const { renditions } = draftOf(made).state;
      return ['720p', '360p'].map((name) => renditions[name]?.maxrateBps);
    };
    const both = { '720p': 1000, '360p': 1000 };
    assert.deepEqual(limits(both), [2_500_000, 700_000]);
    assert.deepEqual(limits(both, { '720p': 1000 }), [2_500_000, 2_500_000]);
    assert.deepEqual(limits(both, { '720p': 1000 }, both), [2_500_000, 700_000]);
  });
});

describe('what is declared of a rendition', () => {
  const infoOf = (
    name: string,
    ...catalogues: readonly Readonly<Record<string, RenditionInfo>>[]
  ) => {
    const made = catalogues.map((catalogue, number) => {
      const kilobits = Object.fromEntries(Object.keys(catalogue).map((rung) => [rung, 100]));
      return outcome(number, kilobits, { catalogue });
    });
    return draftOf(made).state.renditions[name]?.info;
  };
  const fast = { ...video(720), codecString: 'avc1.640020', framesPerSecond: 60 };

  test('is the highest level and frame rate of its pieces, whichever came last', () => {
    for (const order of [
      [fast, video(720)],
      [video(720), fast],
    ]) {
      const info = infoOf('720p', ...order.map((one) => ({ '720p': one })));
      assert.deepEqual(info, fast);
    }
  });

  test('covers the pieces that stand in for its own, before it began and after', () => {
    const own = { ...fast, heightPx: 360, widthPx: 640 };
    assert.deepEqual(infoOf('360p', { '720p': fast }, { '360p': video(360) }), own);
    assert.deepEqual(infoOf('360p', { '360p': video(360) }, { '720p': fast }), own);
  });

  test('names each codec of its audio', () => {
    const wide: RenditionInfo = { ...AUDIO, codecString: 'mp4a.40.5' };
    const info = infoOf('audio', { audio: wide }, { audio: AUDIO }, { audio: AUDIO });
    assert.equal(info?.codecString, 'mp4a.40.2,mp4a.40.5');
  });
});

describe('an entry without audio', () => {
  const asked: unknown[] = [];
  const silence: NonNullable<ConstructorParameters<typeof TimelineDraft>[4]> = (
    rendition,
    _,
    sequence,
    startTicks,
    endTicks,
  ) => {
    asked.push([rendition, sequence, startTicks / TICKS_PER_SECOND, endTicks / TICKS_PER_SECOND]);
    const key = `silence-${sequence}`;
    return {
      piece: {
        key,
        initKey: 'init-audio',
        sizeBytes: 10,
        startTicks,
        durationTicks: endTicks - startTicks,
      },
      objects: [{ key, bytes: new Uint8Array(1) }],
    };
  };

  test('is silent from the end of the audio before it up to its own end', () => {
    asked.length = 0;
    const early = -TICKS_PER_SECOND / 20;
    const { entries, objects } = draftOf(
      [
        outcome(0, { '720p': 1000, audio: 100 }, { audioTo: early }),
        outcome(1, { '720p': 1000 }),
        outcome(2, { '720p': 1000 }),
      ],
      EMPTY_TIMELINE,
      silence,
    );
    assert.deepEqual(asked, [
      ['audio', 1, 11.95, 14],
      ['audio', 2, 14, 16],
    ]);
    assert.equal(entries[1]?.renditions.audio?.key, 'silence-1');
    assert.deepEqual(
      objects.map(({ key }) => key),
      ['silence-1', 'silence-2'],
    );
  });

  test('behind a discontinuity is silent from its own start', () => {
    asked.length = 0;
    const jump = outcome(1, { '720p': 1000 }, { startTicks: 100 * TICKS_PER_SECOND });
    draftOf(
      [outcome(0, { '720p': 1000, audio: 100 }, { audioTo: 0 }), jump],
      EMPTY_TIMELINE,
      silence,
    );
    assert.deepEqual(asked, [['audio', 1, 100, 102]]);
  });

  test('has no silence while the stream has no audio at all', () => {
    asked.length = 0;
    draftOf([outcome(0, { '720p': 1000 }), outcome(1, { '720p': 1000 })], EMPTY_TIMELINE, silence);
    assert.deepEqual(asked, []);
  });
});

describe('the wall clock of entries', () => {
  const times = (...outcomes: readonly RenderedOutcome[]) =>
    draftOf(outcomes).entries.map(({ programDateTimeMs }) => (programDateTimeMs - START_MS) / 1000);
  const said = (number: number, seconds: number) =>
    outcome(number, { '720p': 1 }, { programDateTimeMs: START_MS + seconds * 1000 });

  test('is counted from the start of the run', () => {
    assert.deepEqual(times(outcome(0, { '720p': 1 }), outcome(1, { '720p': 1 })), [0, 2]);
  });

  test('is what the encoder says at the start, and is counted on from there', () => {
    assert.deepEqual(times(said(0, 50), said(1, 52.4), outcome(2, { '720p': 1 })), [50, 52, 54]);
  });

  test('follows the encoder when its clock is set forward, and never goes back', () => {
    assert.deepEqual(times(said(0, 50), said(1, 60), said(2, 40)), [50, 60, 62]);
  });
});

test('segments that nearly abut are listed as if they did, to the tick and by the wall clock', () => {
  for (const offTicks of [-960, 960, -9000, 9000]) {
    const startTicks = 12 * TICKS_PER_SECOND + offTicks;
    const { entries } = draftOf([
      outcome(0, { '720p': 100 }),
      outcome(1, { '720p': 100 }, { startTicks }),
    ]);
    const [first = assert.fail(), second = assert.fail()] = entries;
    assert.equal(second.startTicks, first.startTicks + first.durationTicks);
    assert.equal(second.startTicks + second.durationTicks, startTicks + 2 * TICKS_PER_SECOND);
    assert.equal(second.programDateTimeMs, first.programDateTimeMs + 2000);
    assert.equal(second.discontinuity, false);
  }
});

test('a segment that was cut is listed in its pieces, under its own number', () => {
  const [first, second] = [10, 12].map((seconds) => ({
    startTicks: seconds * TICKS_PER_SECOND,
    durationTicks: 2 * TICKS_PER_SECOND,
    renditions: { '720p': { key: `k${seconds}`, initKey: 'init-720p', sizeBytes: 1 } },
  }));
  const cut = outcome(0, {}, { durationTicks: 4 * TICKS_PER_SECOND });
  const { entries, state } = draftOf([
    { ...cut, pieces: [first ?? assert.fail(), second ?? assert.fail()] },
  ]);
  assert.deepEqual(
    entries.map(({ sequence, number, discontinuity, renditions }) => [
      ...[sequence, number, discontinuity],
      renditions['720p']?.key,
    ]),
    [
      [0, 0, false, 'k10'],
      [1, 0, false, 'k12'],
    ],
  );
  assert.equal(state.targetDurationSeconds, TARGET_SECONDS);
});

test('a rendition is declared at its highest level and rate', () => {
  const level = (framesPerSecond: number, codecString: string) => ({
    catalogue: { '720p': { ...video(720), framesPerSecond, codecString } as RenditionInfo },
  });
  const { state } = draftOf([
    outcome(0, { '720p': 1 }, level(1, 'avc1.64001e')),
    outcome(1, { '720p': 1 }, level(60, 'avc1.640020')),
    outcome(2, { '720p': 1 }, level(50, 'avc1.64001e')),
    outcome(3, { '720p': 1 }, level(25, 'avc1.64001f')),
  ]);
  const info = { ...video(720), framesPerSecond: 60, codecString: 'avc1.640020' };
  assert.deepEqual(state.renditions['720p']?.info, info);
});

describe('an entry behind the end of the stream', () => {
  const first = draftOf([outcome(0, { '720p': 1 })]).state;
  const goesOn = (endShownAtMs: number) =>
    draftOf([outcome(1, { '720p': 1 })], {
      ...first,
      nextNumber: 1,
      endedAtMs: START_MS,
      endShownAtMs,
    });

  test('reopens it where no viewer has seen the end', () => {
    const { state } = goesOn(START_MS + 1);
    assert.deepEqual(
      [state.endedAtMs, state.endShownAtMs, state.broadcasts],
      [undefined, undefined, []],
    );
  });

  test('begins another broadcast where viewers have seen it: their playlists stay as they are', () => {
    const { state } = goesOn(START_MS);
    assert.equal(state.endedAtMs, undefined);
    assert.deepEqual(state.broadcasts, [
      {
        broadcast: 1,
        nextSequence: 1,
        endOffsetTicks: 2 * TICKS_PER_SECOND,
        dvrWindowTicks: null,
        firstListedSequence: 0,
        endedAtMs: START_MS,
      },
    ]);
  });

  test('counts on, however often the stream ends, and the last ten ends are kept', () => {
    let { state } = draftOf([outcome(0, { '720p': 1 })]);
    for (let number = 1; number <= 25; number += 1) {
      const ended = { ...state, nextNumber: number, endedAtMs: START_MS, endShownAtMs: START_MS };
      state = draftOf([outcome(number, { '720p': 1 })], ended).state;
    }
    assert.equal(currentBroadcast(state), 26);
    assert.deepEqual(
      state.broadcasts.map(({ broadcast, nextSequence }) => [broadcast, nextSequence]),
      Array.from({ length: 10 }, (_, index) => [16 + index, 16 + index]),
    );
    const numbers = [1, 16, 25, 26, 27].map((one) => endedBroadcast(state, one)?.broadcast);
    assert.deepEqual(numbers, [16, 16, 25, undefined, undefined]);
  });
});
