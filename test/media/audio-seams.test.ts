import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import {
  type AudioSeams,
  compareAudio,
  joinedPcm,
  seamGaps,
  sourcePcm,
  sourceTimes,
} from './measure-seams.ts';
import {
  placeSegments,
  renditionsOf,
  type SegmentRun,
  transcodePlaced,
  transcodeRun,
} from './segment-run.ts';

const AUDIO_ONLY = { video: 'none', seconds: 12 } as const;

const COPIED: readonly (readonly [string, ClipOptions])[] = [
  ['AAC at 48 kHz', AUDIO_ONLY],
  ['AAC at 44.1 kHz', { ...AUDIO_ONLY, audioRate: 44_100 }],
  ['mono AAC at 22.05 kHz', { ...AUDIO_ONLY, audioRate: 22_050, channels: 1 }],
  ['AAC in fMP4', { ...AUDIO_ONLY, container: 'fmp4' }],
  ['AAC beside 29.97 fps', { seconds: 8, rate: '30000/1001', audioRate: 44_100 }],
  ['AAC with a clock that wraps inside a segment', { seconds: 8, offsetSeconds: 95_440.5 }],
];

const ENCODED: readonly (readonly [string, ClipOptions])[] = [
  ['MP3', { ...AUDIO_ONLY, audio: 'mp3' }],
  ['mono MP3 at 44.1 kHz', { ...AUDIO_ONLY, audio: 'mp3', audioRate: 44_100, channels: 1 }],
  ['MPEG layer II', { ...AUDIO_ONLY, audio: 'mp2' }],
  ['AC-3 with six channels', { ...AUDIO_ONLY, audio: 'ac3', channels: 6 }],
  ['E-AC-3', { ...AUDIO_ONLY, audio: 'eac3' }],
  ['Opus', { ...AUDIO_ONLY, audio: 'opus', container: 'fmp4' }],
  ['AAC with six channels', { ...AUDIO_ONLY, channels: 6 }],
  ['MP3 in MP4 files', { seconds: 8, audio: 'mp3', container: 'mp4' }],
  ['AC-3 beside 25 fps', { seconds: 8, rate: '25', audio: 'ac3' }],
];

type Measured = Readonly<{
  run: SegmentRun;
  seams: AudioSeams;
  samples: number;
  sourceSamples: number;
}>;

async function measureSeams(options: ClipOptions, withPrevious = true): Promise<Measured> {
  const run = await transcodeRun(await makeSegments(options), { withPrevious });
  const audio = run.renditions.audio ?? assert.fail('no audio');
  assert.ok(audio.pieces.length >= 4);
  assert.deepEqual(new Set(seamGaps(audio)), new Set([0]));
  assert.equal(audio.inits.size, 1);
  const [source, joined] = await Promise.all([sourcePcm(run), joinedPcm(audio)]);
  const starts = audio.pieces.slice(1).map(({ startTicks }) => startTicks);
  const last = audio.pieces.at(-1)?.endTicks ?? 0;
  return {
    run,
    seams: compareAudio(source, joined, starts),
    samples: last - joined.startSample,
    sourceSamples: source.samples.length,
  };
}

describe('copied audio:', () => {
  for (const [what, options] of COPIED) {
    test(`${what} is the source's, sample for sample`, async () => {
      const { seams, samples, sourceSamples } = await measureSeams(options);
      assert.equal(samples, sourceSamples);
      assert.ok(seams.worstSeamSnr > 100, `${seams.worstSeamSnr} dB`);
    });
  }
});

describe('encoded audio:', () => {
  for (const [what, options] of ENCODED) {
    test(`${what} becomes AAC without a gap, drift or click at the seams`, async () => {
      const { run, seams, samples, sourceSamples } = await measureSeams(options);
      // One frame early at the start for the decoder, one to two frames held back at the end.
      assert.ok(Math.abs(sourceSamples - samples) <= 2 * 1024, `${sourceSamples - samples}`);
      // Samples are compared by the container's timestamps: audio that is a few samples off is noise.
      const floor = Math.min(seams.worstOtherSnr, seams.medianSnr - 12) - 4;
      assert.ok(seams.worstSeamSnr > floor, JSON.stringify(seams));
      assert.ok(seams.worstSeamSnr > 10, JSON.stringify(seams));
      assert.ok(seams.seamStep < 1.5 * seams.usualStep, JSON.stringify(seams));
      const audio = run.renditions.audio ?? assert.fail();
      const frames = audio.pieces.flatMap((piece) => piece.samples);
      assert.equal(frames.length * 1024, samples);
    });
  }

  test('segments still abut, with an audible seam, where the segment before is missing', async () => {
    const { seams } = await measureSeams({ ...AUDIO_ONLY, audio: 'mp3' }, false);
    // The measures above can tell a clean seam from this one.
    assert.ok(seams.worstSeamSnr < 8, JSON.stringify(seams));
  });
});

describe('audio without drift:', () => {
  for (const audio of ['aac', 'mp3'] as const) {
    test(`five minutes of ${audio} at 44.1 kHz end where the source ends`, async () => {
      const rate = '30000/1001';
      const options = { seconds: 300, rate, size: '64x36', hlsTime: 10, audioRate: 44_100, audio };
      const ladder = [{ name: '36p', shortSidePx: 36, maxrateBps: 100_000 }];
      const clip = await makeSegments(options);
      const run = await transcodeRun(clip, { ladder });
      const track = run.renditions.audio ?? assert.fail();
      const video = run.renditions['36p'] ?? assert.fail();
      assert.ok(track.pieces.length >= 29);
      assert.deepEqual(new Set([...seamGaps(track), ...seamGaps(video)]), new Set([0]));
      assert.deepEqual([track.inits.size, video.inits.size], [1, 1]);
      assert.equal(video.pieces.flatMap(({ samples }) => samples).length, sourceTimes(run).length);
      // Each piece lies where its source's timestamps say, from the first to the last.
      for (const [index, { facts, timestampOffsetTicks }] of run.placed.entries()) {
        const startTicks = (facts.audio[0]?.startTicks ?? 0) + timestampOffsetTicks;
        const early =
          (startTicks * 44_100) / TICKS_PER_SECOND - (track.pieces[index]?.startTicks ?? 0);
        const [least, most] = audio === 'aac' ? [-1, 1] : [1024, 3 * 1024];
        assert.ok(early >= least && early <= most, `segment ${index}: ${early} samples early`);
      }
    });
  }
});

describe('several audio tracks:', () => {
  test('each becomes a rendition of its own, with its language', async () => {
    const clip = await makeSegments({ seconds: 4, languages: ['eng', 'deu'], audio: 'mp3' });
    const { renditions } = await transcodeRun(clip);
    assert.deepEqual(Object.keys(renditions), ['180p', '90p', 'audio', 'audio-2']);
    const languages = ['audio', 'audio-2'].map((name) => {
      const info = renditions[name]?.info;
      return info?.kind === 'audio' ? info.language : undefined;
    });
    assert.deepEqual(languages, ['en', 'de']);
    assert.deepEqual([...seamGaps(renditions['audio-2'] ?? assert.fail())], [0]);
  });

  test('a track keeps its rendition where the container lists it elsewhere', async () => {
    const clip = await makeSegments({ seconds: 4, video: 'none', languages: ['eng', 'deu'] });
    const [first = assert.fail(), second = assert.fail()] = await placeSegments(clip);
    const run = { ...first, facts: { ...first.facts, audio: first.facts.audio.toReversed() } };
    const options = { withPrevious: false };
    const renditions = renditionsOf(await transcodePlaced(clip, [run, second], 1, options));
    const languages = Object.entries(renditions).map(([name, { info }]) => [
      name,
      info.kind === 'audio' && info.language,
    ]);
    assert.deepEqual(languages, [
      ['audio-2', 'en'],
      ['audio', 'de'],
    ]);
  });
});
