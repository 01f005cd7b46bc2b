import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { thumbnailsOf } from '../../lib/domain/pictures/thumbnails.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import type { TranscodedPiece } from '../../lib/media/transcode-segment.ts';
import { makeSegments } from '../support/media.ts';
import { NUMBERED, numbersIn } from '../support/numbered-frames.ts';
import { type SegmentRun, transcodeRun } from './segment-run.ts';

const RATE = 10;
const SOURCE = { rate: String(RATE), size: '160x90', filter: NUMBERED, audio: 'none' } as const;
const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

const run = (
  clip: Parameters<typeof transcodeRun>[0],
  options: Parameters<typeof transcodeRun>[1] = {},
) => transcodeRun(clip, { ladder: LADDER, wantsThumbnails: true, ...options });

const piecesIn = ({ results }: SegmentRun): readonly TranscodedPiece[] =>
  results.flatMap(({ pieces }) => pieces);

/** What each picture of a run shows, beside the frame that is on the screen when it says. */
async function shownAndSaid(
  made: SegmentRun,
  rate = RATE,
): Promise<[shown: number, said: number][]> {
  const start = piecesIn(made)[0]?.startTicks ?? 0;
  const pairs: [number, number][] = [];
  for (const { startTicks, durationTicks, thumbnails } of piecesIn(made)) {
    assert.ok(thumbnails);
    const numbers = await numbersIn(thumbnails.bytes, thumbnails.columns);
    for (const [index, said] of thumbnailsOf(thumbnails, durationTicks).entries()) {
      const seconds = (startTicks - start + said.startTicks) / TICKS_PER_SECOND;
      pairs.push([numbers[index] ?? Number.NaN, Math.floor(seconds * rate + 1e-6)]);
    }
  }
  return pairs;
}

const same = (pairs: readonly (readonly [number, number])[]): void =>
  assert.deepEqual(
    pairs.map(([shown]) => shown),
    pairs.map(([, said]) => said),
  );

describe('preview thumbnails', () => {
  test('show the frame that is on the screen at the time that they say', async () => {
    const made = await run(await makeSegments({ ...SOURCE, seconds: 5, hlsTime: 2.5 }));
    const pairs = await shownAndSaid(made);
    assert.equal(pairs.length, 2);
    same(pairs);
  });

  test('of a segment that is cut stand in a sprite of each piece, by its times', async () => {
    const clip = await makeSegments({ ...SOURCE, seconds: 5.3, hlsTime: 6 });
    const made = await run(clip, { targetSeconds: 2 });
    const pieces = piecesIn(made);
    assert.equal(pieces.length, 3);
    const pairs = await shownAndSaid(made);
    assert.deepEqual(
      pieces.map(({ thumbnails }) => thumbnails?.columns),
      [1, 1, 1],
    );
    same(pairs);
  });

  test('of long pieces stand side by side, each with the size of the source', async () => {
    const clip = await makeSegments({ ...SOURCE, seconds: 5.3, hlsTime: 6 });
    const made = await run(clip, { targetSeconds: 6 });
    const [piece = assert.fail()] = piecesIn(made);
    assert.equal(piece.thumbnails?.columns, 3);
    same(await shownAndSaid(made));
  });

  test('over an open GOP begin with the first frame of their segment', async () => {
    const clip = await makeSegments({ ...SOURCE, seconds: 5, hlsTime: 2.5, openGop: true });
    same(await shownAndSaid(await run(clip)));
  });

  test('of a picture that stands still for longer than a piece repeat it', async () => {
    const clip = await makeSegments({ ...SOURCE, rate: '1/5', seconds: 10, hlsTime: 10 });
    const made = await run(clip, { targetSeconds: 4 });
    assert.equal(piecesIn(made).length, 3);
    same(await shownAndSaid(made, 1 / 5));
  });

  test('of a segment of a single frame are that frame', async () => {
    const clip = await makeSegments({
      ...SOURCE,
      seconds: 0.3,
      hlsTime: 0.1,
      keyframeSeconds: 0.1,
    });
    same(await shownAndSaid(await run(clip)));
  });

  test('of a tall picture are tall, and none is larger than 240 pixels or than the source', async () => {
    const sizeOf = async (size: string) => {
      const made = await run(await makeSegments({ ...SOURCE, size, seconds: 1, filter: 'null' }));
      const { thumbnails = assert.fail() } = piecesIn(made)[0] ?? {};
      return [thumbnails.widthPx, thumbnails.heightPx];
    };
    assert.deepEqual(await sizeOf('360x640'), [134, 240]);
    assert.deepEqual(await sizeOf('160x90'), [160, 90]);
  });

  test('a segment without picture has none', async () => {
    const [seen, heard] = await Promise.all([
      makeSegments({ ...SOURCE, audio: 'aac', seconds: 2 }),
      makeSegments({ seconds: 2, video: 'none' }),
    ]);
    const made = await run({ segments: [...seen.segments, ...heard.segments] });
    assert.deepEqual(
      piecesIn(made).map(({ thumbnails }) => thumbnails !== undefined),
      [true, false, false],
    );
  });
});
