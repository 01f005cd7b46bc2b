import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { audioPiece, frameSample } from '../../lib/media/audio/piece.ts';
import { ClipSound } from '../../lib/media/clip/clip-sound.ts';
import { readInit } from '../../lib/media/clip/init-parameters.ts';
import { AAC_LC, aacConfig } from '../../lib/media/demux/audio-frames.ts';
import type { TimedSample } from '../../lib/media/mux/cmaf.ts';
import type { MovieTrack } from '../../lib/media/mux/movie-header.ts';
import { SampleTables } from '../../lib/media/mux/sample-tables.ts';

const RATE = 48_000;
const FRAME = 1024;
const ticksOf = (samples: number): number => Math.round((samples * 90_000) / RATE);
/** ffmpeg says again that there is no SBR. */
const CONFIGS = [aacConfig(AAC_LC, RATE, 2), Uint8Array.of(0x11, 0x90, 0x56, 0xe5, 0x00)];

/** Frames that hold their own number, counted over all pieces. */
function pieceAt(startSample: number, frames: number, number: number, config = CONFIGS[0]) {
  const samples = Array.from({ length: frames }, (_, index) =>
    frameSample(Uint8Array.of(0xf0, (number + index) >> 8, (number + index) & 0xff), FRAME),
  );
  return audioPiece({
    ...{ codecString: 'mp4a.40.2', sampleRateHz: RATE, channels: 2, language: 'und' },
    ...{ config: config ?? Uint8Array.of(), anchor: { startTicks: 0 }, startSample, samples },
  });
}

/** What a clip's track holds: frames by their numbers (undefined: silence), and where each is heard in the movie. */
function soundOf() {
  const tables = new SampleTables();
  const placed: { number: number | undefined; at: number }[] = [];
  let track: MovieTrack | undefined;
  const movie = {
    addTrack(given: MovieTrack) {
      track = given;
      return 0;
    },
    endOf: () => tables.endTicks,
    endAt: (_: number, ticks: number) => tables.endAt(ticks),
    async append(_: number, at: number, samples: readonly TimedSample[]) {
      tables.addChunk(0, at, samples);
      let time = at;
      for (const { bytes, durationTicks } of samples) {
        const number = bytes[0] === 0xf0 ? ((bytes[1] ?? 0) << 8) + (bytes[2] ?? 0) : undefined;
        placed.push({ number, at: time });
        time += durationTicks;
      }
    },
  };
  const parameters = readInit(pieceAt(0, 1, 0).init, 'audio');
  const format = { parameters, channels: 2, language: 'en', isDefault: true };
  const sound = new ClipSound(movie, format);
  const heard = () => {
    const skipped = track?.skippedTicks() ?? 0;
    return placed.map(({ number, at }) => ({ number, at: at - skipped }));
  };
  return { sound, heard, length: () => tables.endTicks - (track?.skippedTicks() ?? 0) };
}

describe('the sound of a clip', () => {
  test('begins with a frame that is not heard, and ends to the sample', async () => {
    const { sound, heard, length } = soundOf();
    const fromTicks = ticksOf(2000);
    const part = { fromTicks, movieTicks: 0, movieEndTicks: ticksOf(4000) };
    await sound.add({ ...part, piece: pieceAt(0, 8, 0) });
    await sound.finish(ticksOf(4000));
    assert.deepEqual(heard(), [
      { number: 0, at: -2000 },
      { number: 1, at: -976 },
      { number: 2, at: 48 },
      { number: 3, at: 1072 },
      { number: 4, at: 2096 },
      { number: 5, at: 3120 },
    ]);
    assert.equal(length(), 4000);
  });

  test('is silent where there is none, also before the first and behind the last', async () => {
    const { sound, heard, length } = soundOf();
    const second = ticksOf(10 * FRAME);
    await sound.add({ piece: undefined, fromTicks: 0, movieTicks: 0, movieEndTicks: second });
    const part = { fromTicks: second, movieTicks: second, movieEndTicks: 2 * second };
    await sound.add({ ...part, piece: pieceAt(10 * FRAME, 4, 7, CONFIGS[1]) });
    await sound.finish(2 * second);
    assert.deepEqual(
      heard().map(({ number }) => number),
      [...Array(10), 7, 8, 9, 10, ...Array(6)],
    );
    assert.equal(heard()[0]?.at, 0);
    assert.equal(length(), 20 * FRAME);
  });

  test('is silent in a hole of whole frames, and stretches a frame over less than half of one', async () => {
    const { sound, heard, length } = soundOf();
    const whole = { fromTicks: 0, movieTicks: 0, movieEndTicks: ticksOf(20 * FRAME) };
    await sound.add({ ...whole, piece: pieceAt(0, 4, 0) });
    await sound.add({ ...whole, piece: pieceAt(7 * FRAME + 100, 2, 4) });
    await sound.add({ ...whole, piece: pieceAt(9 * FRAME + 400, 2, 6) });
    await sound.finish(ticksOf(12 * FRAME));
    const numbers = heard().map(({ number }) => number);
    assert.deepEqual(numbers.slice(0, 11), [
      0,
      1,
      2,
      3,
      undefined,
      undefined,
      undefined,
      4,
      5,
      6,
      7,
    ]);
    assert.equal(heard()[9]?.at, 9 * FRAME + 400);
    assert.equal(length(), 12 * FRAME);
  });

  test('keeps every frame within half of one of its time, whatever the pieces do', async () => {
    const parts = fc.array(
      fc.record({
        frames: fc.integer({ min: 0, max: 20 }),
        // How much earlier than the picture the sound of a run begins, and how much later it ends.
        lead: fc.integer({ min: -3000, max: 3000 }),
        tail: fc.integer({ min: -3000, max: 3000 }),
        startsAt: fc.integer({ min: 5000, max: 1_000_000 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const { sound, heard, length } = soundOf();
        const times = new Map<number, number>();
        let [movie, number] = [0, 0];
        for (const { frames, lead, tail, startsAt } of given) {
          const samples = Math.max(FRAME, frames * FRAME + tail);
          const pieceStart = startsAt - lead;
          for (let index = 0; index < frames; index += 1) {
            times.set(number + index, movie - lead + index * FRAME);
          }
          await sound.add({
            piece: frames > 0 ? pieceAt(pieceStart, frames, number) : undefined,
            fromTicks: ticksOf(startsAt),
            movieTicks: ticksOf(movie),
            movieEndTicks: ticksOf(movie + samples),
          });
          number += frames;
          movie += samples;
        }
        await sound.finish(ticksOf(movie));
        assert.ok(Math.abs(length() - movie) <= 2, `${length()} of ${movie}`);
        const all = heard();
        assert.ok((all[0]?.at ?? 1) <= 0);
        for (const [index, { number: own, at }] of all.entries()) {
          if (own === undefined) continue;
          const off = at - (times.get(own) ?? Number.NaN);
          assert.ok(Math.abs(off) <= 2, `frame ${own} is off by ${off}`);
          const before = all[index - 1]?.number;
          assert.ok(before === undefined || before < own);
        }
      }),
    );
  });
});
