import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClipCaptions, type MovieCue } from '../../lib/media/clip/clip-captions.ts';
import type { TimedSample } from '../../lib/media/mux/cmaf.ts';
import type { MovieTrack } from '../../lib/media/mux/movie-header.ts';
import { SampleTables } from '../../lib/media/mux/sample-tables.ts';

const FORMAT = {
  ...{ language: 'de', label: 'Deutsch', isForced: false, isSdh: false },
  ...{ widthPx: 320, heightPx: 180 },
};

/** Texts of a track as they are shown: how many milliseconds each. */
function trackOf() {
  const tables = new SampleTables();
  const shown: [string, number][] = [];
  const movie = {
    addTrack: (_: MovieTrack) => 0,
    endOf: () => tables.endTicks,
    async append(_: number, at: number, samples: readonly TimedSample[]) {
      tables.addChunk(0, at, samples);
      for (const { bytes, durationTicks } of samples) {
        const text = Buffer.from(bytes.subarray(2)).toString();
        assert.equal(Buffer.from(bytes).readUInt16BE(), bytes.length - 2);
        shown.push([text, durationTicks]);
      }
    },
  };
  return { captions: new ClipCaptions(movie, FORMAT), shown };
}

const cue = (from: number, to: number, text: string): MovieCue => ({
  ...{ from: from * 90_000, to: to * 90_000, text },
});
/** Seconds. */
const part = (from: number, movie: number, lasts: number, cues: readonly MovieCue[]) => ({
  ...{ cues, fromTicks: from * 90_000, movieTicks: movie * 90_000 },
  movieEndTicks: (movie + lasts) * 90_000,
});

describe('captions in the file of a clip', () => {
  test('are cut at its ends, and empty where nothing is said', async () => {
    const { captions, shown } = trackOf();
    await captions.add(part(100, 0, 4, [cue(98, 101, 'before'), cue(102, 103.5, 'Grüße')]));
    await captions.add(part(104, 4, 2, [cue(105, 109, 'behind')]));
    await captions.finish(6 * 90_000);
    assert.deepEqual(shown, [
      ['before', 1000],
      ['', 1000],
      ['Grüße', 1500],
      ['', 1500],
      ['behind', 1000],
    ]);
  });

  test('go on over a seam as one text, also where the clock is another behind it', async () => {
    const { captions, shown } = trackOf();
    await captions.add(part(10, 0, 2, [cue(11, 13, 'over the seam')]));
    await captions.add(part(500, 2, 2, [cue(499, 501, 'over the seam')]));
    await captions.finish(4 * 90_000);
    assert.deepEqual(shown, [
      ['', 1000],
      ['over the seam', 2000],
      ['', 1000],
    ]);
  });

  test('that are shown together are one text', async () => {
    const { captions, shown } = trackOf();
    const cues = [cue(0, 2, 'one'), cue(1, 3, 'two\nlines'), cue(3.0001, 3.0002, 'too short')];
    await captions.add(part(0, 0, 4, cues));
    await captions.finish(4 * 90_000);
    assert.deepEqual(shown, [
      ['one', 1000],
      ['one\ntwo\nlines', 1000],
      ['two\nlines', 1000],
      ['', 1000],
    ]);
  });

  test('are one sample where a cue lasts longer than the clip', async () => {
    const { captions, shown } = trackOf();
    await captions.add(part(10, 0, 4, [cue(0, 100, 'always')]));
    await captions.finish(4 * 90_000);
    assert.deepEqual(shown, [['always', 4000]]);
  });

  test('are no samples where nothing is said at all', async () => {
    const { captions, shown } = trackOf();
    await captions.add(part(0, 0, 4, [cue(4, 5, 'behind the clip')]));
    await captions.finish(4 * 90_000);
    assert.deepEqual(shown, []);
  });
});
