import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  BufferSource,
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacketSink,
  Input,
  OggOutputFormat,
  Output,
  WEBM,
} from 'mediabunny';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { runFfmpeg } from '../../lib/ffmpeg/run.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import type { FileTrack } from '../../lib/media/mux/write-file.ts';
import { encodeOpus } from '../../lib/media/webm/encode-opus.ts';
import { encodeWebm } from '../../lib/media/webm/encode-webm.ts';
import { type ClipOptions, makeSegments } from '../support/media.ts';
import { compareAudio, type Pcm } from './measure-seams.ts';
import { type SegmentRun, transcodeRun, workFolder } from './segment-run.ts';

const RATE_HZ = 48_000;
const { signal } = new AbortController();

/** What a job is given of a segment; `neighbours`: with the sound beside it. */
function inputOf({ results }: SegmentRun, index: number, neighbours: boolean) {
  const { startTicks, durationTicks, pieces } = results[index] ?? assert.fail();
  const { '180p': video, audio = assert.fail() } = pieces[0]?.renditions ?? {};
  const near = neighbours
    ? results.slice(Math.max(0, index - 1), index + 2)
    : results.slice(index, index + 1);
  const media = near.flatMap((one) => one.pieces[0]?.renditions.audio?.media ?? []);
  return {
    ...(video && { video: { ...video, maxrateBps: 400_000 } }),
    audio: { init: audio.init, media, language: 'en' },
    bounds: { startTicks, endTicks: startTicks + durationTicks },
  };
}

async function decode(args: readonly string[]): Promise<Float32Array> {
  const format = ['-ac', '1', '-f', 'f32le', 'pipe:1'];
  const { stdout } = await runFfmpeg({ args: [...args, ...format] });
  return new Float32Array(new Uint8Array(stdout).buffer);
}

/** The AAC rendition from end to end, from its first sample that is one of Opus, too. */
async function decodeSource({ renditions }: SegmentRun): Promise<Pcm> {
  const { bytes, info } = renditions.audio ?? assert.fail();
  assert.equal(info.kind, 'audio');
  const rateHz = info.kind === 'audio' ? info.sampleRateHz : 0;
  const path = join(workFolder, 'source-of-opus.mp4');
  await writeFile(path, bytes);
  const start = parseCmaf(bytes).startTicks;
  const unit = rateHz === 44_100 ? 147 : 1;
  const drop = (unit - (start % unit)) % unit;
  const filter = `atrim=start_sample=${drop},asetpts=N/SR/TB,aresample=${RATE_HZ}`;
  const samples = await decode(['-i', path, '-af', filter]);
  return { samples, startSample: Math.round(((start + drop) * RATE_HZ) / rateHz) };
}

/** Packets of all segments one behind the other, as a player feeds its decoder. */
async function decodeJoined(tracks: readonly FileTrack[]): Promise<Pcm> {
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const source = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(source);
  await output.start();
  const packets = tracks.flatMap((track) => [...track.packets]);
  const first = packets[0]?.timestamp ?? 0;
  for (const packet of packets) {
    const meta = { decoderConfig: tracks[0]?.decoderConfig as AudioDecoderConfig };
    await source.add(packet.clone({ timestamp: packet.timestamp - first }), meta);
  }
  await output.finalize();
  const path = join(workFolder, 'joined.ogg');
  await writeFile(path, new Uint8Array(target.buffer ?? new ArrayBuffer(0)));
  return { samples: await decode(['-i', path]), startSample: Math.round(first * RATE_HZ) };
}

async function measure(options: ClipOptions, neighbours: boolean) {
  const run = await transcodeRun(await makeSegments({ seconds: 8, channels: 1, ...options }));
  const tracks: FileTrack[] = [];
  for (const index of run.results.keys()) {
    const { audio, bounds } = inputOf(run, index, neighbours);
    tracks.push(await encodeOpus({ audio, bounds, folder: workFolder, signal }));
  }
  const starts = tracks.map(({ packets }) => (packets[0]?.timestamp ?? 0) * RATE_HZ);
  const [source, joined] = [await decodeSource(run), await decodeJoined(tracks)];
  return { run, tracks, seams: compareAudio(source, joined, starts.slice(1)) };
}

describe('segments as WebM, one behind the other:', () => {
  for (const audioRate of [48_000, 44_100]) {
    test(`Opus from AAC at ${audioRate} Hz has no gap and no click at the seams`, async () => {
      const { run, tracks, seams } = await measure({ audioRate, rate: '30000/1001' }, true);
      const times = tracks.flatMap(({ packets }) => packets.map(({ timestamp }) => timestamp));
      for (const [index, time] of times.slice(1).entries()) {
        assert.ok(Math.abs(time - (times[index] ?? 0) - 0.02) < 1e-6);
      }
      for (const [index, { packets }] of tracks.entries()) {
        const startSeconds = (run.results[index]?.startTicks ?? 0) / TICKS_PER_SECOND;
        assert.ok(Math.abs((packets[0]?.timestamp ?? 0) - startSeconds) <= 0.01 + 1e-6);
      }
      const floor = Math.min(seams.worstOtherSnr, seams.medianSnr - 12) - 4;
      assert.ok(seams.worstSeamSnr > floor, JSON.stringify(seams));
      assert.ok(seams.worstSeamSnr > 8, JSON.stringify(seams));
      assert.ok(seams.seamStep < 1.5 * seams.usualStep, JSON.stringify(seams));
    });
  }

  test('without the sound of their neighbours the seams would be audible', async () => {
    const { seams } = await measure({}, false);
    assert.ok(seams.worstSeamSnr < 4, JSON.stringify(seams));
  });

  test('each frame of the rung is there once, at its time, from a keyframe on', async () => {
    const run = await transcodeRun(await makeSegments({ seconds: 4, rate: '30000/1001' }));
    for (const index of [0, 1]) {
      const bytes = await encodeWebm({ ...inputOf(run, index, true), workFolder, signal });
      const input = new Input({ source: new BufferSource(bytes), formats: [WEBM] });
      const video = (await input.getPrimaryVideoTrack()) ?? assert.fail();
      const audio = (await input.getPrimaryAudioTrack()) ?? assert.fail();
      const first = async (track: typeof video | typeof audio) =>
        (await new EncodedPacketSink(track).getFirstPacket())?.timestamp ?? assert.fail();
      assert.equal(Math.min(await first(video), await first(audio)), 0);
      const frames: number[] = [];
      const keys: number[] = [];
      for await (const { timestamp, type } of new EncodedPacketSink(video).packets()) {
        if (type === 'key') keys.push(frames.length);
        frames.push(timestamp);
      }
      assert.deepEqual(keys, [0]);
      const { pieces } = run.renditions['180p'] ?? assert.fail();
      const { samples = [] } = pieces[index] ?? {};
      const shown = samples
        .map(({ ptsTicks }) => ptsTicks / TICKS_PER_SECOND)
        .sort((a, b) => a - b);
      assert.equal(frames.length, shown.length);
      // Milliseconds, twice rounded.
      const offset = (frames[0] ?? 0) - (shown[0] ?? 0);
      for (const [at, time] of frames.entries()) {
        assert.ok(Math.abs(time - offset - (shown[at] ?? 0)) <= 0.001_01, `frame ${at}`);
      }
    }
  });
});
