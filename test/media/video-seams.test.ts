import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { compareFrames, joinedTimes, seamGaps, sourceTimes } from './measure-seams.ts';
import { type SegmentRun, transcodeRun } from './segment-run.ts';

type Source = Readonly<{
  what: string;
  clip: ClipOptions;
  /** Largest rung, and its frame rate as the playlist gives it. */
  rung: string;
  rate: number;
}>;

const SILENT = { audio: 'none', seconds: 6 } as const;

const SOURCES: readonly Source[] = [
  { what: '25 fps', clip: { ...SILENT, rate: '25' }, rung: '320x180', rate: 25 },
  {
    what: '29.97 fps',
    clip: { ...SILENT, rate: '30000/1001' },
    rung: '320x180',
    rate: 30_000 / 1001,
  },
  { what: '50 fps', clip: { ...SILENT, rate: '50' }, rung: '320x180', rate: 50 },
  {
    what: '59.94 fps in fMP4',
    clip: { ...SILENT, rate: '60000/1001', container: 'fmp4' },
    rung: '320x180',
    rate: 60_000 / 1001,
  },
  {
    what: 'a variable frame rate',
    clip: {
      ...SILENT,
      filter: "select='not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,5)\\,2))'",
      videoArgs: ['-fps_mode', 'vfr'],
    },
    rung: '320x180',
    rate: 20.69,
  },
  {
    what: 'times rounded to milliseconds',
    clip: {
      ...SILENT,
      filter: 'settb=1/90000,setpts=floor(PTS/90)*90',
      videoArgs: ['-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    },
    rung: '320x180',
    rate: 30,
  },
  { what: 'open GOPs of H.264', clip: { ...SILENT, openGop: true }, rung: '320x180', rate: 30 },
  {
    what: 'open GOPs of H.265',
    clip: { ...SILENT, video: 'hevc', openGop: true },
    rung: '320x180',
    rate: 30,
  },
  { what: 'VP9', clip: { ...SILENT, video: 'vp9', container: 'fmp4' }, rung: '320x180', rate: 30 },
  { what: 'AV1', clip: { ...SILENT, video: 'av1', container: 'fmp4' }, rung: '320x180', rate: 30 },
  { what: 'portrait video', clip: { ...SILENT, size: '180x320' }, rung: '180x320', rate: 30 },
  {
    what: 'an odd size',
    clip: {
      ...SILENT,
      size: '428x240',
      filter: 'format=yuv444p,crop=427:239:exact=1',
      videoArgs: ['-pix_fmt', 'yuv444p'],
    },
    rung: '322x180',
    rate: 30,
  },
  {
    what: '4:3 with wide pixels',
    clip: { ...SILENT, size: '240x180', filter: 'setsar=4/3' },
    rung: '320x180',
    rate: 30,
  },
  {
    what: 'interlaced video',
    clip: {
      ...SILENT,
      rate: '50',
      filter: 'interlace',
      videoArgs: ['-flags', '+ildct+ilme', '-x264opts', 'tff=1'],
    },
    rung: '320x180',
    rate: 25,
  },
  {
    what: 'the full range of levels',
    clip: {
      ...SILENT,
      filter: 'scale=out_range=pc',
      videoArgs: ['-color_range', 'pc', '-pix_fmt', 'yuvj420p'],
    },
    rung: '320x180',
    rate: 30,
  },
  {
    what: 'a clock that wraps inside a segment',
    clip: { ...SILENT, offsetSeconds: 95_440.5 },
    rung: '320x180',
    rate: 30,
  },
  {
    what: 'a clock that wraps at a seam',
    clip: { ...SILENT, offsetSeconds: 95_443.717_689 - 1.4 - 2 },
    rung: '320x180',
    rate: 30,
  },
  {
    what: 'a file of its own for each segment',
    clip: { ...SILENT, container: 'mp4' },
    rung: '320x180',
    rate: 30,
  },
];

describe('video rungs:', () => {
  for (const { what, clip: options, rung, rate } of SOURCES) {
    test(`${what}: every frame is there once, at its time, and segments abut`, async () => {
      const clip = await makeSegments(options);
      const run = await transcodeRun(clip);
      assertSeamless(run);
      const [largest, smallest] = Object.values(run.renditions);
      assert.ok(largest?.info.kind === 'video' && smallest?.info.kind === 'video');
      assert.equal(`${largest.info.widthPx}x${largest.info.heightPx}`, rung);
      assert.equal(largest.info.framesPerSecond, rate);
      // Files of their own cannot be joined to one source to compare with.
      if (options.container === 'mp4') return;
      for (const rendition of [largest, smallest]) {
        const match = await compareFrames(clip, rendition);
        assert.equal(match.joined, match.source);
        assert.deepEqual(match.displaced, []);
      }
    });
  }
});

function assertSeamless(run: SegmentRun): void {
  const source = sourceTimes(run);
  assert.ok(run.placed.length >= 2 && source.length >= 100);
  assert.deepEqual(Object.keys(run.renditions), ['180p', '90p']);
  for (const rendition of Object.values(run.renditions)) {
    assert.deepEqual(joinedTimes(rendition), source);
    assert.deepEqual(new Set(seamGaps(rendition)), new Set([0]));
    assert.equal(rendition.inits.size, 1);
    for (const piece of rendition.pieces) {
      assert.equal(piece.startTicks, Math.min(...piece.samples.map(({ ptsTicks }) => ptsTicks)));
    }
  }
}

describe('a video seam:', () => {
  test('segments abut where the segment before is missing and frames refer to it', async () => {
    const clip = await makeSegments({ ...SILENT, openGop: true });
    const run = await transcodeRun(clip, { withPrevious: false });
    const lost =
      sourceTimes(run).length - joinedTimes(run.renditions['180p'] ?? assert.fail()).length;
    assert.ok(lost > 0 && lost <= 4 * run.placed.length, `${lost} frames lost`);
    for (const [index, { facts, timestampOffsetTicks }] of run.placed.entries()) {
      const piece = run.renditions['180p']?.pieces[index];
      assert.equal(piece?.startTicks, facts.startTicks + timestampOffsetTicks);
      assert.equal(piece?.samples[0]?.ptsTicks, facts.startTicks + timestampOffsetTicks);
    }
    assert.deepEqual(seamGaps(run.renditions['180p'] ?? assert.fail()), [0, 0]);
  });

  test('segments abut where the muxer gave the first frame of an open GOP the time of another', async () => {
    for (const video of ['h264', 'hevc'] as const) {
      const clip = await makeSegments({ ...SILENT, video, openGop: true, container: 'fmp4' });
      const run = await transcodeRun(clip);
      const source = sourceTimes(run);
      assert.ok(source.some((time, index) => time === source[index + 1]));
      const rung = run.renditions['180p'] ?? assert.fail();
      const times = joinedTimes(rung);
      assert.equal(times.length, 180);
      const steps = new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
      assert.deepEqual(steps, new Set([3000]));
      assert.deepEqual(seamGaps(rung), [0, 0]);
      assert.deepEqual((await compareFrames(clip, rung)).displaced, []);
    }
  });

  test('segments of a constant frame rate abut before the next segment is known', async () => {
    const clip = await makeSegments({ ...SILENT, rate: '30000/1001' });
    const run = await transcodeRun(clip, { knowsEnds: false });
    assertSeamless(run);
  });

  test('all segments of a rung have the same init segment, whatever the source and the threads', async () => {
    const inits = new Set<string>();
    const sources: readonly (readonly [ClipOptions, number | undefined])[] = [
      [{ ...SILENT, seconds: 2 }, 1],
      [{ ...SILENT, seconds: 2, rate: '25', openGop: true }, 2],
      [{ ...SILENT, seconds: 2, size: '640x360', video: 'hevc' }, undefined],
      [
        { ...SILENT, seconds: 2, filter: 'scale=out_range=pc', videoArgs: ['-color_range', 'pc'] },
        1,
      ],
      [{ ...SILENT, seconds: 2, container: 'fmp4', videoArgs: ['-colorspace', 'smpte170m'] }, 1],
    ];
    for (const [options, threads] of sources) {
      const run = await transcodeRun(await makeSegments(options), threads ? { threads } : {});
      for (const init of run.renditions['180p']?.inits ?? []) inits.add(init);
    }
    assert.equal(inits.size, 1);
  });
});

describe('video that differs from its run:', () => {
  test('another shape is fitted into the rungs of the run', async () => {
    const wide = await makeSegments({ ...SILENT, seconds: 2, offsetSeconds: 1 });
    const tall = await makeSegments({ ...SILENT, seconds: 2, size: '180x320', offsetSeconds: 3 });
    const clip = { segments: [...wide.segments, ...tall.segments] };
    const run = await transcodeRun(clip);
    assertSeamless(run);
  });

  test('colours stay the same when the source does not name their matrix', async () => {
    for (const [size, matrix] of [
      ['1280x720', 'bt709'],
      ['320x180', 'smpte170m'],
    ] as const) {
      const red = { ...SILENT, seconds: 1, hlsTime: 1, size };
      const filter = `scale=16:16,geq=r=200:g=40:b=60,scale=${size.replace('x', ':')}:out_color_matrix=${matrix}`;
      const unnamed = await transcodeRun(await makeSegments({ ...red, filter }), { ladder: [ONE] });
      const named = await transcodeRun(
        await makeSegments({ ...red, filter, videoArgs: ['-colorspace', matrix] }),
        { ladder: [ONE] },
      );
      const digests = [unnamed, named].map(
        ({ renditions }) => renditions['90p']?.pieces[0]?.digest,
      );
      assert.equal(digests[0], digests[1], matrix);
    }
  });
});

const ONE = { name: '90p', shortSidePx: 90, maxrateBps: 150_000 };
