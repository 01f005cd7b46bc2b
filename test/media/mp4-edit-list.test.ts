import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { applyEdits, type Edit } from '../../lib/media/demux/mp4-edit-list.ts';
import type { Mp4Sample } from '../../lib/media/demux/mp4-samples.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import type { TranscodedSegment } from '../../lib/media/transcode-segment.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { changeTrack, editList } from '../support/mp4-mangler.ts';
import { placeSegments, renditionsOf, SMALL_LADDER, transcodePlaced } from './segment-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'rivulet-edits-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Ten frames of 100 in decode order, a keyframe each five, presented as they are decoded. */
const FRAMES: readonly Mp4Sample[] = Array.from({ length: 10 }, (_, index) => ({
  ...{ at: 0, sizeBytes: 1, presentation: index * 100, duration: 100, description: 1 },
  isSync: index % 5 === 0,
}));

const show = (
  edits: readonly Partial<Edit>[],
  options: Partial<Parameters<typeof applyEdits>[0]> = {},
) =>
  applyEdits({
    ...{ kind: 'video', timescale: 1000, movieTimescale: 1000, isFragmented: false },
    edits: edits.map((edit) => ({ duration: 0, mediaTime: 0, isDwell: false, ...edit })),
    samples: FRAMES,
    ...options,
  });

/** Frames by their number, with the milliseconds at which they are shown; `-`: hidden. */
const told = (samples: ReturnType<typeof show>): string =>
  samples
    .map(({ presentation, ticks, isHidden }) =>
      isHidden ? `${presentation / 100}-` : `${presentation / 100}@${ticks / 90}`,
    )
    .join(' ');

describe('an edit list:', () => {
  test('without one all samples are shown at their own times', () => {
    const all = '0@0 1@100 2@200 3@300 4@400 5@500 6@600 7@700 8@800 9@900';
    assert.equal(told(show([])), all);
  });

  test('what lies before the start and behind the end is not shown', () => {
    const edits = [{ mediaTime: 700, duration: 200 }];
    assert.equal(told(show(edits)), '5- 6- 7@0 8@100');
    assert.equal(told(show(edits, { kind: 'audio' })), '7@0 8@100');
  });

  test('a frame that begins before the start is not shown, a packet is when its middle lies inside', () => {
    const edits = [{ mediaTime: 640, duration: 200 }];
    assert.equal(told(show(edits)), '5- 6- 7@60 8@160');
    assert.equal(told(show(edits, { kind: 'audio' })), '6@-40 7@60');
  });

  test('an end that is rounded to the clock of the movie takes no frame more, and none less', () => {
    const rounded = { kind: 'video', timescale: 30_000, movieTimescale: 600 } as const;
    const samples = FRAMES.map((frame, index) => {
      return { ...frame, presentation: index * 1001, duration: 1001 };
    });
    for (const duration of [100, 101]) {
      const shown = show([{ duration }], { ...rounded, samples });
      assert.equal(shown.length, 5, `${duration}/600 s`);
    }
  });

  test('an empty edit in front moves the track', () => {
    const edits = [
      { mediaTime: -1, duration: 250 },
      { mediaTime: 0, duration: 200 },
    ];
    assert.equal(told(show(edits)), '0@250 1@350');
    assert.equal(told(show([{ mediaTime: -1, duration: 250 }])).slice(0, 13), '0@250 1@350 2');
  });

  test('several edits are shown in their order, each after the last', () => {
    const edits = [
      { mediaTime: 600, duration: 200 },
      { mediaTime: 0, duration: 100 },
      { mediaTime: 200, duration: 100 },
    ];
    assert.equal(told(show(edits)), '5- 6@0 7@100 0@200 0- 1- 2@300');
    assert.equal(told(show(edits, { kind: 'audio' })), '6@0 7@100 0@200 2@300');
  });

  test('a picture that stands still is left out, and keeps its time', () => {
    const edits = [
      { duration: 100 },
      { mediaTime: 100, duration: 300, isDwell: true },
      { mediaTime: 500, duration: 100 },
    ];
    assert.equal(told(show(edits)), '0@0 5@400');
  });

  test('hidden frames lie a tick apart beside those that are shown', () => {
    const samples = show([{ mediaTime: 700, duration: 200 }]);
    assert.deepEqual(
      samples.map(({ ticks }) => ticks),
      [-2, -1, 0, 9000],
    );
    const reordered = [0, 300, 100, 200, 600, 400, 500].map((presentation, index): Mp4Sample => {
      const sample = { at: 0, sizeBytes: 1, duration: 100, description: 1 };
      return { ...sample, presentation, isSync: index === 0 };
    });
    const cut = show([{ mediaTime: 100, duration: 400 }], { samples: reordered });
    assert.equal(told(cut), '0- 3@200 1@0 2@100 6- 4@300');
    assert.deepEqual(
      cut.map(({ ticks }) => ticks),
      [-1, 18_000, 0, 9000, 27_001, 27_000],
    );
  });

  test('in fragments it moves times and cuts off what comes before, but never all', () => {
    const fragmented = { isFragmented: true } as const;
    const before = show([{ mediaTime: 700, duration: 100 }], fragmented);
    assert.equal(told(before), '5- 6- 7@0 8@100 9@200');
    const later = show([{ mediaTime: 5000, duration: 100 }], fragmented);
    assert.equal(later.length, 10);
    assert.equal(later[0]?.ticks, 0);
  });
});

describe('a trimmed MP4:', () => {
  /** 25 pictures a second for 6 s, the sound of a tone. */
  const whole = join(folder, 'whole.mp4');
  const trimmed = join(folder, 'trimmed.mp4');

  before(async () => {
    const sources = ['testsrc2=s=320x180:r=25:d=6', 'sine=frequency=440:sample_rate=48000:d=6'];
    await ffmpeg([
      ...sources.flatMap((source) => ['-f', 'lavfi', '-i', source]),
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-b_strategy', '0', '-g', '50'],
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', whole],
    ]);
    await ffmpeg(['-ss', '1', '-i', whole, '-t', '4', '-c', 'copy', trimmed]);
  });

  test('only what its edit list shows is taken, picture and sound in step', async () => {
    const { facts } = await inspectSegment(readFileSync(trimmed));
    assert.deepEqual(
      [facts.video?.frames, facts.video?.startTicks, facts.video?.endTicks],
      // Of the last two pictures ffmpeg wrote the one that is shown last.
      [102, 0, 103 * 3600],
    );
    assert.equal(facts.video?.startsClosed, true);
    const [sound] = facts.audio;
    assert.ok(Math.abs(sound?.startTicks ?? -1) < 1000, String(sound?.startTicks));
    assert.equal(sound?.packets, 188);
  });

  test('its renditions have the frames that are shown, the right ones, at their times', async () => {
    const bytes = readFileSync(trimmed);
    const clip = { segments: [{ name: '0.mp4', bytes }] };
    const placed = await placeSegments(clip);
    const result = await transcodePlaced(clip, placed, 0, { ladder: SMALL_LADDER });
    assert.deepEqual([result.startTicks, result.durationTicks], [900_000, 370_800]);
    const video = fileOf(result, '180p');
    const expected = Array.from({ length: 103 }, (_, index) => 900_000 + index * 3600);
    assert.deepEqual(timesOf(video), expected.toSpliced(101, 1));
    const sound = parseCmaf(fileOf(result, 'audio'));
    assert.equal(sound.samples.length, 188);
    assert.ok(Math.abs(sound.startTicks - 480_000) < 1024);
    await assertSamePictures(video, whole, [
      ['0', '1'],
      ['2', '3'],
    ]);
  });

  test('several edits in one list come out in their order, without the frames between', async () => {
    const cuts = (delay: number, scale: number) =>
      editList([1000, delay + 0.52 * scale], [1000, delay + 2.52 * scale]);
    // The time scales of ffmpeg; pictures are presented two late, and AAC begins with 1024 samples.
    const changed = (cut: Uint8Array) => (path: string) =>
      path === 'moov/trak/edts' ? [cut] : undefined;
    let bytes = changeTrack(readFileSync(whole), 0, changed(cuts(1024, 12_800)));
    bytes = changeTrack(bytes, 1, changed(cuts(1024, 48_000)));
    const clip = { segments: [{ name: '0.mp4', bytes }] };
    const placed = await placeSegments(clip);
    const { video, audio } = placed[0]?.facts ?? assert.fail();
    assert.deepEqual([video?.frames, video?.startTicks, video?.endTicks], [50, 0, 180_000]);
    assert.ok(Math.abs((audio[0]?.packets ?? 0) - (2 * 48_000) / 1024) < 2);
    const result = await transcodePlaced(clip, placed, 0, { ladder: SMALL_LADDER });
    const made = fileOf(result, '180p');
    const expected = Array.from({ length: 50 }, (_, index) => 900_000 + index * 3600);
    assert.deepEqual(timesOf(made), expected);
    await assertSamePictures(made, whole, [
      ['0', '0.52'],
      ['0.96', '1.48'],
      ['1', '2.52'],
      ['1.96', '3.48'],
    ]);
  });
});

function fileOf(segment: TranscodedSegment, name: string): Uint8Array {
  const { init, media } =
    renditionsOf(segment)[name] ?? assert.fail(`There is no rendition ${name}.`);
  return Buffer.concat([init, media]);
}

const timesOf = (file: Uint8Array): number[] =>
  parseCmaf(file)
    .samples.map(({ ptsTicks }) => ptsTicks)
    .sort((a, b) => a - b);

/** Nearer to the source's picture than to its neighbours. `moments`: seconds in what was made, and in the source. */
async function assertSamePictures(
  made: Uint8Array,
  source: string,
  moments: readonly (readonly [string, string])[],
): Promise<void> {
  const path = join(folder, 'made.mp4');
  writeFileSync(path, made);
  for (const [at, sourceAt] of moments) {
    const shown = await pictureAt(path, at);
    const wanted = await pictureAt(source, sourceAt);
    for (const step of [-0.04, 0.04]) {
      const neighbour = await pictureAt(source, String(Number(sourceAt) + step));
      assert.ok(
        difference(shown, wanted) < difference(shown, neighbour),
        `not the picture at ${at} s`,
      );
    }
  }
}

/** In gray. */
async function pictureAt(path: string, seconds: string): Promise<Buffer> {
  const picture = join(folder, 'picture.gray');
  const gray = ['-frames:v', '1', '-vf', 'scale=320:180,format=gray', '-f', 'rawvideo', picture];
  await ffmpeg(['-i', path, '-ss', seconds, ...gray]);
  return readFileSync(picture);
}

/** Mean of the differences of brightness. */
const difference = (a: Buffer, b: Buffer): number =>
  a.reduce((sum, value, index) => sum + Math.abs(value - (b[index] ?? 0)), 0) / a.length;
