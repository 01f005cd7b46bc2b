import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { frameSample } from '../../lib/media/audio/piece.ts';
import { silentFrame, silentPiece } from '../../lib/media/audio/silence.ts';
import { AAC_LC, aacConfig } from '../../lib/media/demux/audio-frames.ts';
import { aacInit } from '../../lib/media/mux/aac-init.ts';
import { parseCmaf, writeFragment } from '../../lib/media/mux/cmaf.ts';
import { readAdts } from '../support/tone.ts';

/** Fails on any complaint of the decoder. */
function decode(format: string, bytes: Uint8Array): Float32Array {
  const args = ['-nostdin', '-v', 'warning', '-xerror', '-f', format, '-i', 'pipe:0'];
  const { stdout, stderr, status } = spawnSync('ffmpeg', [...args, '-f', 'f32le', 'pipe:1'], {
    input: bytes,
    maxBuffer: 2 ** 28,
  });
  assert.deepEqual([status, stderr.toString()], [0, '']);
  return new Float32Array(stdout.buffer, stdout.byteOffset, stdout.byteLength >> 2);
}

const loudest = (samples: Float32Array): number =>
  samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);

describe('silent AAC:', () => {
  test('a frame is four bytes for one channel, six for two', () => {
    assert.equal(Buffer.from(silentFrame(1)).toString('hex'), '00000007');
    assert.equal(Buffer.from(silentFrame(2)).toString('hex'), '21000000001c');
  });

  for (const sampleRateHz of [8000, 22_050, 44_100, 48_000, 96_000]) {
    for (const channels of [1, 2]) {
      test(`decoders go into it and out of it at ${sampleRateHz} Hz, ${channels} channels`, () => {
        const adts = execFileSync('ffmpeg', [
          ...['-nostdin', '-v', 'error', '-f', 'lavfi'],
          ...['-i', `sine=frequency=440:sample_rate=${sampleRateHz}`, '-t', '2'],
          ...['-c:a', 'aac', '-ac', String(channels), '-f', 'adts', 'pipe:1'],
        ]);
        const real = readAdts(adts).slice(2, 12);
        const silent = Array.from({ length: 20 }, () => silentFrame(channels));
        const frames = [...real, ...silent, ...real];
        const config = aacConfig(AAC_LC, sampleRateHz, channels);
        const init = aacInit({ config, sampleRateHz, channels });
        const media = writeFragment(
          0,
          frames.map((frame) => frameSample(frame, 1024)),
          1,
        );
        const samples = decode('mov', Buffer.concat([init, media]));
        assert.equal(samples.length, 40 * 1024 * channels);
        const part = (from: number, to: number) =>
          loudest(samples.subarray(from * 1024 * channels, to * 1024 * channels));
        // One frame more for what overlaps.
        assert.equal(part(11, 30), 0);
        assert.ok(part(2, 10) > 0.05 && part(32, 40) > 0.05);
      });
    }
  }
});

describe('a silent piece:', () => {
  const request = { sampleRateHz: 48_000, channels: 2, anchor: { startTicks: 900_123 } };

  test('it covers the nearest whole frames of the grid, and says so', () => {
    const piece = silentPiece({ ...request, startTicks: 1_080_000, endTicks: 1_260_000 });
    // 93.7 and 187.4 frames of 1920 ticks from the anchor on, which is at 480,065.6 samples.
    assert.deepEqual([piece.startTicks, piece.durationTicks], [1_080_604, 93 * 1920]);
    const { samples, startTicks, endTicks } = parseCmaf(Buffer.concat([piece.init, piece.media]));
    assert.equal(samples.length, 93);
    assert.deepEqual([startTicks, endTicks], [480_066 + 94 * 1024, 480_066 + 187 * 1024]);
    assert.ok(samples.every(({ isSync, compositionTicks }) => isSync && compositionTicks === 0));
    assert.deepEqual(piece.info, {
      ...{ kind: 'audio', codecString: 'mp4a.40.2', channels: 2, sampleRateHz: 48_000 },
      language: 'und',
    });
  });

  test('two seconds are less than 1.5 kB with their init segment, and play', () => {
    for (const [sampleRateHz, channels] of [
      [48_000, 2],
      [44_100, 1],
    ] as const) {
      const span = { startTicks: 900_123, endTicks: 1_080_123 };
      const { init, media } = silentPiece({ ...request, sampleRateHz, channels, ...span });
      const file = Buffer.concat([init, media]);
      assert.ok(file.length < 1500, `${file.length} bytes`);
      const samples = decode('mov', file);
      assert.equal(samples.length, Math.round((2 * sampleRateHz) / 1024) * 1024 * channels);
      assert.equal(loudest(samples), 0);
    }
  });

  test('one begins where the one before ends, whatever their ends are', () => {
    const ends = [900_123, 1_000_000, 1_100_001, 1_200_002, 1_300_003];
    const grid = { ...request, sampleRateHz: 44_100 };
    let at = silentPiece({ ...grid, startTicks: 900_123, endTicks: 900_123 }).startTicks ?? 0;
    for (const endTicks of ends.slice(1)) {
      const { startTicks, durationTicks = 0 } = silentPiece({ ...grid, startTicks: at, endTicks });
      assert.equal(startTicks, at);
      at += durationTicks;
    }
  });

  test('it is one frame at least, and stereo for more channels', () => {
    const span = { startTicks: 900_123, endTicks: 900_123 };
    const { durationTicks, info } = silentPiece({ ...request, channels: 6, ...span });
    assert.equal(durationTicks, 1920);
    assert.equal(info.kind === 'audio' && info.channels, 2);
  });
});
