import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AudioFacts } from '../../lib/domain/segment.ts';
import { coverAudio, type TrackedSegment } from '../../lib/media/audio/coverage.ts';
import { silentPiece } from '../../lib/media/audio/silence.ts';

/** 1024 samples at 48 kHz. */
const FRAME = 1920;
/** 1152 samples at 48 kHz. */
const MP3_PACKET = 2160;
const ANCHOR = { startTicks: 0, sampleRateHz: 48_000, channels: 2 };

const AAC = { codec: 'aac', codecString: 'mp4a.40.2', samplesPerPacket: 1024 } as const;
const MP3 = { codec: 'mp3', codecString: 'mp3', samplesPerPacket: 1152 } as const;

const factsOf = (
  codec: typeof AAC | typeof MP3,
  startTicks: number,
  endTicks: number,
): AudioFacts => ({
  ...{ trackId: 257, ...codec, sampleRateHz: 48_000, channels: 2, language: 'und' },
  ...{ startTicks, endTicks, packets: 1 },
});

/** Start, end, and the sound in it, all in AAC frames. */
type Frames = readonly [start: number, end: number, sound?: readonly [number, number]];

const segmentOf = ([start, end, sound]: Frames): TrackedSegment => ({
  facts: { startTicks: start * FRAME, endTicks: end * FRAME },
  timestampOffsetTicks: 0,
  track: sound && factsOf(AAC, sound[0] * FRAME, sound[1] * FRAME),
});

const FULL: Frames = [0, 100, [0, 100]];
const SILENT: Frames = [0, 100];

const CASES: readonly (readonly [
  string,
  previous: Frames | undefined,
  own: Frames,
  covered: readonly [number, number],
])[] = [
  ['sound that goes on', FULL, [100, 200, [100, 200]], [100, 200]],
  ['sound that leads the cut', [0, 100, [0, 96]], [100, 200, [96, 196]], [96, 196]],
  ['sound that trails the cut', [0, 100, [0, 103]], [100, 200, [103, 204]], [103, 204]],
  ['sound that begins late', FULL, [100, 200, [150, 200]], [100, 200]],
  ['sound that begins late in the first segment', undefined, [0, 100, [50, 100]], [0, 100]],
  ['sound that begins late after silence', SILENT, [100, 200, [150, 200]], [100, 200]],
  ['a missing frame', FULL, [100, 200, [101, 200]], [100, 200]],
  ['two missing frames', FULL, [100, 200, [102, 200]], [100, 200]],
  ['a frame less than the first segment', undefined, [0, 100, [1, 100]], [1, 100]],
  ['two frames less than the first segment', undefined, [0, 100, [2, 100]], [0, 100]],
  ['sound that leads the first segment', undefined, [0, 100, [-3, 97]], [-3, 97]],
  ['packets that came already', FULL, [100, 200, [97, 200]], [100, 200]],
  ['sound that leads its return after silence', SILENT, [100, 200, [90, 190]], [100, 190]],
  [
    'sound that ended less than a second early',
    [0, 100, [0, 60]],
    [100, 200, [110, 200]],
    [60, 200],
  ],
  [
    'sound that ended more than a second early',
    [0, 100, [0, 40]],
    [100, 200, [110, 200]],
    [100, 200],
  ],
  ['an end more than a second early', FULL, [100, 200, [100, 140]], [100, 200]],
  ['an end less than a second early', FULL, [100, 200, [100, 160]], [100, 160]],
  [
    'an early end of sound that leads by as much',
    [0, 100, [-60, 40]],
    [100, 200, [40, 140]],
    [40, 140],
  ],
  [
    'sound that leads a second from the second segment on',
    [0, 100, [0, 40]],
    [100, 200, [40, 140]],
    [100, 140],
  ],
  ['a discontinuity', FULL, [300, 400, [300, 400]], [300, 400]],
  ['sound that begins late behind a discontinuity', FULL, [300, 400, [350, 400]], [300, 400]],
  ['sound behind a clock that went back', [0, 100, [0, 100]], [50, 150, [50, 150]], [50, 150]],
  [
    'sound that goes on though the pictures do not say so',
    [0, 4, [0, 96]],
    [100, 104, [96, 196]],
    [96, 196],
  ],
  ['no sound', FULL, [100, 200], [100, 200]],
  ['no sound after sound that led the cut', [0, 100, [0, 96]], [100, 200], [96, 200]],
  ['no sound after none', SILENT, [100, 200], [100, 200]],
  ['no sound behind a discontinuity', FULL, [300, 400], [300, 400]],
  ['sound on another clock, as none', FULL, [100, 200, [9000, 9100]], [100, 200]],
  ['sound that runs on for minutes, cut off', FULL, [100, 200, [100, 9000]], [100, 669]],
];

const inFrames = (own: TrackedSegment, previous: TrackedSegment | undefined) => {
  const { startTicks, endTicks } = coverAudio(own, previous, ANCHOR);
  return [startTicks / FRAME, endTicks / FRAME].map((frames) => Math.round(frames * 1000) / 1000);
};

describe('the span of an audio piece:', () => {
  for (const [what, previous, own, covered] of CASES) {
    test(`${what}: frames ${covered.join(' to ')}`, () => {
      assert.deepEqual(inFrames(segmentOf(own), previous && segmentOf(previous)), covered);
    });
  }

  const mp3 = (start: number, end: number, from: number, to: number): TrackedSegment => ({
    ...segmentOf([start, end]),
    track: factsOf(MP3, from * MP3_PACKET, to * MP3_PACKET),
  });

  test('encoded sound ends one to two frames early, and all that follows begins there', () => {
    const before = mp3(0, 100, 0, 88);
    assert.deepEqual(inFrames(before, undefined), [-2, 97]);
    assert.deepEqual(inFrames(mp3(100, 200, 88, 177), before), [97, 197]);
    assert.deepEqual(inFrames(mp3(100, 200, 130, 177), before), [97, 197]);
    assert.deepEqual(inFrames(segmentOf([100, 200]), before), [97, 200]);
    assert.deepEqual(inFrames(segmentOf([100, 200, [99, 200]]), before), [97, 200]);
    assert.deepEqual(inFrames(mp3(100, 200, 89, 177), segmentOf(FULL)), [100, 197]);
    assert.deepEqual(inFrames(mp3(100, 200, 88, 177), segmentOf(SILENT)), [100, 197]);
  });

  test('whatever comes and goes, pieces leave no hole of two frames and do not overlap', () => {
    const second = 90_000;
    const source = fc.record({
      codec: fc.constantFrom(AAC, MP3),
      segments: fc.array(
        fc.record({
          ticks: fc.integer({ min: 2 * second, max: 6 * second }),
          // Where the muxer cuts the sound, against the cut of the pictures.
          cutTicks: fc.integer({ min: -63_000, max: 27_000 }),
          heard: fc.constantFrom('all', 'none', 'part'),
          from: fc.double({ min: 0, max: 0.9, noNaN: true }),
          share: fc.double({ min: 0.1, max: 1, noNaN: true }),
        }),
        { minLength: 2, maxLength: 12 },
      ),
    });
    fc.assert(
      fc.property(source, ({ codec, segments }) => {
        const packet = codec === AAC ? FRAME : MP3_PACKET;
        const onGrid = (ticks: number) => Math.round(ticks / packet) * packet;
        const starts = [0];
        for (const { ticks } of segments) starts.push((starts.at(-1) ?? 0) + ticks);
        const made = segments.map(({ heard, from, share }, index): TrackedSegment => {
          const [startTicks = 0, endTicks = 0] = starts.slice(index);
          const first = startTicks + (segments[index]?.cutTicks ?? 0);
          const last = endTicks + (segments[index + 1]?.cutTicks ?? 0);
          const part = heard === 'all' ? [0, 1] : [from, Math.min(1, from + share)];
          const [soundStart = 0, soundEnd = 0] = part.map((at) =>
            onGrid(first + at * (last - first)),
          );
          const facts = { startTicks, endTicks };
          const track = factsOf(codec, soundStart, Math.max(soundEnd, soundStart + packet));
          return { facts, timestampOffsetTicks: 0, track: heard === 'none' ? undefined : track };
        });
        let covered: number | undefined;
        made.forEach((own, index) => {
          let { startTicks, endTicks } = coverAudio(own, made[index - 1], ANCHOR);
          if (!own.track) {
            const span = { startTicks: covered ?? startTicks, endTicks, anchor: ANCHOR };
            const piece = silentPiece({ sampleRateHz: 48_000, channels: 2, ...span });
            startTicks = piece.startTicks ?? assert.fail();
            endTicks = startTicks + (piece.durationTicks ?? assert.fail());
          }
          assert.ok(endTicks > startTicks);
          const missing = (startTicks - (covered ?? startTicks)) / FRAME;
          assert.ok(missing > -0.01 && missing < 1.99, `segment ${index}: ${missing} frames`);
          covered = endTicks;
        });
      }),
      { numRuns: 500 },
    );
  });
});
