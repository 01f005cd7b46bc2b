import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { makePat, makePmt, PIDS, packetize, packetizeSections } from '../support/ts-mangler.ts';

type Format = Readonly<{ rate: number; channels: number }>;
const HIGH: Format = { rate: 48_000, channels: 2 };
const LOW: Format = { rate: 24_000, channels: 1 };

const AAC_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000];

/** ADTS of AAC-LC (ISO/IEC 14496-3, 1.A.2.2), in front of `rawBytes`. */
function adtsHeader(rawBytes: number, rate: number, channels: number): Uint8Array {
  const size = rawBytes + 7;
  return Uint8Array.of(
    ...[0xff, 0xf1, (1 << 6) | (AAC_RATES.indexOf(rate) << 2) | (channels >> 2)],
    ...[((channels & 3) << 6) | (size >> 11), (size >> 3) & 0xff, ((size & 7) << 5) | 0x1f, 0xfc],
  );
}

/** One frame of AAC of `bytes` bytes, its header included. */
const frame = ({ rate, channels }: Format, bytes = 100): Buffer =>
  Buffer.concat([adtsHeader(bytes - 7, rate, channels), Buffer.alloc(bytes - 7, 0x21)]);

/** A PES packet of frames; `pts` below 2^15. */
const pes = (pts: number, ...frames: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([
      0,
      0,
      1,
      0xc0,
      0,
      0,
      0x80,
      0x80,
      5,
      0x21,
      0,
      1,
      pts >> 7,
      ((pts & 0x7f) << 1) | 1,
    ]),
    ...frames,
  ]);

function streamOf(...units: readonly Buffer[]): Buffer {
  let counter = 0;
  const audio = units.flatMap((unit) => {
    const packets = packetize(PIDS.audio, unit, counter);
    counter += packets.length;
    return packets;
  });
  return Buffer.concat([
    ...packetizeSections(PIDS.pat, makePat([[1, PIDS.pmt]])),
    ...packetizeSections(PIDS.pmt, makePmt(1, [{ type: 0x0f, pid: PIDS.audio }])),
    ...audio,
  ]);
}

const repeat = (count: number, format: Format) =>
  Array.from({ length: count }, () => frame(format));

describe('audio in a transport stream:', () => {
  test('a change of rate and channels is kept, and each stretch has its own times', async () => {
    const bytes = streamOf(pes(9000, ...repeat(3, HIGH), ...repeat(3, LOW)));
    const [track] = (await demuxSegment(bytes)).audio;
    assert.deepEqual(
      track?.packets.map(({ startTicks }) => startTicks),
      // 1920 ticks at 48 kHz, 3840 at 24 kHz.
      [9000, 10_920, 12_840, 14_760, 18_600, 22_440],
    );
    assert.deepEqual([track?.sampleRateHz, track?.channels], [48_000, 2]);
    assert.deepEqual(track?.changes, [
      {
        fromPacket: 3,
        codecString: 'mp4a.40.2',
        sampleRateHz: 24_000,
        channels: 1,
        samplesPerPacket: 1024,
        config: Uint8Array.of(0x13, 0x08),
      },
    ]);
    const { facts } = await inspectSegment(bytes);
    assert.equal(facts.endTicks, 22_440 + 3840);
    assert.equal('changes' in (facts.audio[0] ?? {}), false);
    assert.deepEqual(facts.notices, [
      {
        code: 'format_changed',
        message:
          'The audio of stream 257 changes inside the segment: mp4a.40.2 at 48000 Hz with 2 channels; mp4a.40.2 at 24000 Hz with 1 channel.',
      },
    ]);
  });

  test('what looks like a header of another format inside a damaged frame is none', async () => {
    const liar = Buffer.concat([frame(HIGH).subarray(0, 40), frame(LOW).subarray(0, 50)]);
    const bytes = streamOf(pes(9000, ...repeat(3, HIGH), liar, ...repeat(3, HIGH)));
    const [track] = (await demuxSegment(bytes)).audio;
    assert.equal(track?.changes, undefined);
    assert.ok((track?.packets.length ?? 0) >= 6);
  });

  test('a frame may go on in the next packet, whose time is that of the next frame', async () => {
    const whole = frame(HIGH);
    const bytes = streamOf(
      pes(9000, frame(HIGH), whole.subarray(0, 30)),
      pes(20_000, whole.subarray(30), frame(HIGH)),
    );
    const [track] = (await demuxSegment(bytes)).audio;
    assert.deepEqual(
      track?.packets.map(({ startTicks }) => startTicks),
      [9000, 10_920, 20_000],
    );
  });

  test('more frames than a segment has are refused, at any count', async () => {
    const many = Array.from({ length: 160 }, () =>
      Array.from({ length: 1000 }, () => frame(HIGH, 8)),
    );
    const bytes = streamOf(...many.map((frames) => pes(9000, ...frames)));
    await assert.rejects(inspectSegment(bytes), /has more than 30000 audio frames/);
  });
});
