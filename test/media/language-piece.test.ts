import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  languagePiece,
  mergeRuns,
  type PlacedFrame,
} from '../../lib/media/audio/language-piece.ts';
import { silentFrame } from '../../lib/media/audio/silence.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';

const RATE = 48_000;
const FRAME = 1024;
const SILENT = Buffer.from(silentFrame(2)).toString('hex');

type Cut = Readonly<{ startTicks: number; endTicks: number }>;

const compose = (frames: readonly PlacedFrame[], cut: Cut, sampleRateHz = RATE) =>
  languagePiece({ info: { sampleRateHz, channels: 2, language: 'fr' }, ...cut, frames });

/** What a piece holds: the bytes of each frame, and where it lies. */
function framesOf({ init, media }: ReturnType<typeof compose>) {
  const { samples, startTicks, endTicks } = parseCmaf(Buffer.concat([init, media]));
  const frames = samples.map(({ bytes, ptsTicks }) => ({
    bytes: Buffer.from(bytes).toString('hex'),
    start: ptsTicks,
  }));
  return { start: startTicks, end: endTicks, frames };
}

/** Of the rate and cuts: entries that abut, from anywhere on. */
const cuts = fc
  .tuple(fc.nat(10_000_000), fc.array(fc.integer({ min: 3000, max: 900_000 }), { minLength: 1 }))
  .map(([first, lengths]) => {
    let at = first;
    return lengths.map((ticks): Cut => {
      const startTicks = at;
      at += ticks;
      return { startTicks, endTicks: at };
    });
  });

/** Runs of frames with pauses between them, from a little before the first cut on; each has bytes of its own. */
const runs = fc.array(
  fc.record({ pauseSamples: fc.nat(200_000), frames: fc.integer({ min: 1, max: 60 }) }),
  { maxLength: 6 },
);

describe('the pieces of a language', () => {
  test('hold each uploaded frame once, in order and at its time, and abut to the sample, wherever either is cut', () => {
    fc.assert(
      fc.property(cuts, runs, fc.constantFrom(RATE, 44_100), (entries, parts, rate) => {
        const first = (entries[0]?.startTicks ?? 0) * (rate / 90_000);
        let at = Math.max(0, Math.round(first) - 3 * FRAME);
        let name = 1;
        const uploaded = parts.map(({ pauseSamples, frames }) => {
          at += pauseSamples;
          return Array.from({ length: frames }, (): PlacedFrame => {
            const bytes = Uint8Array.from([0xff, name >> 8, name & 0xff]);
            name += 1;
            at += FRAME;
            return { start: at - FRAME, samples: FRAME, bytes };
          });
        });
        const frames = mergeRuns(uploaded);
        const pieces = entries.map((cut) => framesOf(compose(frames, cut, rate)));
        const last = ((entries.at(-1)?.endTicks ?? 0) * rate) / 90_000;
        const expected = frames
          .filter(({ start }) => start >= first && start < last)
          .map(({ start, bytes }) => ({ start, bytes: Buffer.from(bytes).toString('hex') }));
        const heard = pieces
          .flatMap((piece) => piece.frames)
          .filter(({ bytes }) => bytes !== SILENT);
        assert.deepEqual(heard, expected);
        for (const [index, piece] of pieces.entries()) {
          if (index > 0) assert.equal(piece.start, pieces[index - 1]?.end);
        }
      }),
      { numRuns: 60 },
    );
  });

  const run = (start: number, name: number): PlacedFrame[] =>
    [0, 1, 2, 3].map((index) => ({
      start: start + index * FRAME,
      samples: FRAME,
      bytes: Uint8Array.from([name, index]),
    }));
  const placesOf = (merged: readonly PlacedFrame[]) =>
    merged.map(({ start, samples, bytes: [name] }) => [name, start, samples]);

  test('of two runs that overlap are those of the later one where it sounds', () => {
    assert.deepEqual(placesOf(mergeRuns([run(0, 1), run(2 * FRAME + 300, 2)])), [
      [1, 0, 1024],
      [1, 1024, 1024],
      [2, 2348, 1024],
      [2, 3372, 1024],
      [2, 4396, 1024],
      [2, 5420, 1024],
    ]);
  });

  test('of two runs that overlap by what a clock is rounded to are those of both, the last of the first cut short', () => {
    assert.deepEqual(placesOf(mergeRuns([run(0, 1), run(4 * FRAME - 24, 2)])).slice(2, 6), [
      [1, 2048, 1024],
      [1, 3072, 1000],
      [2, 4072, 1024],
      [2, 5096, 1024],
    ]);
  });

  test('meet at a frame that begins at a cut: it belongs to the entry behind', () => {
    const frame = { start: 48 * FRAME, samples: FRAME, bytes: Uint8Array.of(1) };
    const cutTicks = (48 * FRAME * 90_000) / RATE;
    const [before, behind] = [
      { startTicks: cutTicks - 9000, endTicks: cutTicks },
      { startTicks: cutTicks, endTicks: cutTicks + 9000 },
    ].map((cut) => compose([frame], cut).frames);
    assert.deepEqual([before, behind], [0, 1]);
  });

  test('are silence where there is nothing, of whole frames but the last', () => {
    const { frames, ...piece } = compose([], { startTicks: 90_000, endTicks: 99_000 });
    assert.equal(frames, 0);
    assert.deepEqual(piece.info, {
      ...{ kind: 'audio', codecString: 'mp4a.40.2', channels: 2, sampleRateHz: 48_000 },
      language: 'fr',
    });
    assert.deepEqual([piece.startTicks, piece.durationTicks], [90_000, 9000]);
    const made = framesOf({ ...piece, frames });
    assert.deepEqual(
      made.frames.map(({ start, bytes }) => [start - 48_000, bytes === SILENT]),
      [0, 1024, 2048, 3072, 4096].map((start) => [start, true]),
    );
    assert.equal(made.end, 52_800);
  });
});
