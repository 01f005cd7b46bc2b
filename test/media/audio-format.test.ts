import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Clip, type ClipOptions, makeSegments } from '../support/media.ts';
import { compareAudio, joinedPcm, seamGaps, sourcePcm } from './measure-seams.ts';
import { type RunOptions, transcodeRun } from './segment-run.ts';

const STEREO = { video: 'none', seconds: 8 } as const;
const MONO = { ...STEREO, audioRate: 44_100, channels: 1 } as const;

/** Segments of several clips, which have the same clock: as an encoder that is set up anew. */
async function splice(...parts: readonly ClipOptions[]): Promise<Clip> {
  const clips = await Promise.all(parts.map((options) => makeSegments(options)));
  return { segments: clips.map(({ segments }, index) => segments[index] ?? assert.fail()) };
}

async function render(clip: Clip, options: RunOptions = {}) {
  const run = await transcodeRun(clip, options);
  const audio = run.renditions.audio ?? assert.fail('no audio');
  const { info } = audio;
  assert.ok(info.kind === 'audio');
  const said = { channels: info.channels, sampleRateHz: info.sampleRateHz };
  return { run, audio, said };
}

describe('an audio rendition keeps the format that the stream began with', () => {
  for (const [what, first, then] of [
    ['stereo at 48 kHz, for mono at 44.1 kHz', STEREO, MONO],
    ['mono at 44.1 kHz, for stereo at 48 kHz', MONO, STEREO],
    [
      'stereo at 48 kHz, for AC-3 with six channels',
      STEREO,
      { ...STEREO, audio: 'ac3', channels: 6 },
    ],
    ['mono at 44.1 kHz, for stereo MP3 at 48 kHz', MONO, { ...STEREO, audio: 'mp3' }],
  ] as const) {
    test(`${what}, and back, without a hole`, async () => {
      const { audio, said } = await render(await splice(first, then, then, first));
      const { channels = 2, audioRate = 48_000 }: ClipOptions = first;
      assert.deepEqual(said, { channels, sampleRateHz: audioRate });
      assert.equal(audio.inits.size, 1);
      assert.deepEqual(new Set(seamGaps(audio)), new Set([0]));
      const { samples } = await joinedPcm(audio);
      assert.ok(Math.abs(samples.length / audioRate - 8) < 0.1, `${samples.length} samples`);
    });
  }

  test('also in a later run, whose segments meet without a click', async () => {
    const clip = await makeSegments({ ...STEREO, seconds: 12, channels: 1 });
    const firstTracks = [{ sampleRateHz: 48_000, channels: 2 }];
    const { run, audio, said } = await render(clip, { firstTracks });
    assert.deepEqual(said, { channels: 2, sampleRateHz: 48_000 });
    const starts = audio.pieces.slice(1).map(({ startTicks }) => startTicks);
    const seams = compareAudio(await sourcePcm(run), await joinedPcm(audio), starts);
    const floor = Math.min(seams.worstOtherSnr, seams.medianSnr - 12) - 4;
    assert.ok(seams.worstSeamSnr > Math.max(10, floor), JSON.stringify(seams));
  });

  test('stereo at 48 kHz where the stream began without audio', async () => {
    const { said } = await render(await makeSegments(MONO), { firstTracks: [] });
    assert.deepEqual(said, { channels: 2, sampleRateHz: 48_000 });
  });
});
