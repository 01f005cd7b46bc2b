import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EncodedPacket } from 'mediabunny';
import { indexPackets, visitPackets } from '../../lib/media/demux/mpegts-packets.ts';
import { readPrograms } from '../../lib/media/demux/mpegts-tables.ts';
import { elementaryFrames } from '../../lib/media/mux/elementary-frames.ts';
import { writeMpegTs } from '../../lib/media/mux/mpegts-file.ts';
import type { FileTrack } from '../../lib/media/mux/write-file.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const textOf = (parts: readonly Uint8Array[] | undefined): string =>
  Buffer.concat(parts ?? []).toString('hex');

const AVC_CONFIG = hex('01 64 00 1f ff e1 0002 6701 01 0002 6802');
const HEVC_CONFIG = hex(`${'00'.repeat(21)} 03 02 20 0001 0002 4001 21 0001 0002 4201`);
/** AAC-LC, 48 kHz, stereo; and HE-AAC of 24 kHz, whose output has 48 kHz. */
const AAC_CONFIG = hex('1190');
const HE_AAC_CONFIG = hex('2b118800');

function video(frames: readonly (readonly [type: 'key' | 'delta', seconds: number])[]): FileTrack {
  const packets = frames.map(([type, seconds]) => {
    const data = hex(type === 'key' ? '00000002 09f0 00000002 65aa' : '00000002 41aa');
    return new EncodedPacket(data, type, seconds, 1 / 25);
  });
  const decoderConfig = { description: AVC_CONFIG };
  return { kind: 'video', codec: 'avc', rotation: 0, packets, decoderConfig };
}

function sound(languageCode: string, description = AAC_CONFIG, bytes = hex('aabbcc')): FileTrack {
  const packets = [0, 1, 2].map(
    (index) => new EncodedPacket(bytes, 'key', (index * 1024) / 48_000, 1024 / 48_000),
  );
  return { kind: 'audio', codec: 'aac', languageCode, packets, decoderConfig: { description } };
}

describe('a transport stream that is written', () => {
  test('has each picture behind one delimiter, and parameter sets in front of keyframes', () => {
    const track = video([
      ['key', 0],
      ['delta', 0.04],
    ]);
    assert.deepEqual(elementaryFrames(track).map(textOf), [
      '0000000109f0000000016701000000016802000000 0165aa'.replace(' ', ''),
      '0000000109f00000000141aa',
    ]);
    const hevc: FileTrack = {
      kind: 'video',
      ...{ codec: 'hevc', rotation: 0 },
      packets: [new EncodedPacket(hex('00000000 00000003 2601aa'), 'key', 0, 1)],
      decoderConfig: { description: HEVC_CONFIG },
    };
    assert.equal(
      textOf(elementaryFrames(hevc)[0]),
      '00000001460150000000014001000000014201000000012601aa',
    );
  });

  test('has AAC behind headers of what its extension extends', () => {
    assert.equal(textOf(elementaryFrames(sound('und'))[0]), 'fff14c80015ffcaabbcc');
    assert.equal(textOf(elementaryFrames(sound('und', HE_AAC_CONFIG))[0]), 'fff15880015ffcaabbcc');
    for (const track of [sound('und', hex('f90c')), sound('und', hex('1780bb8010')), longSound()]) {
      assert.throws(() => elementaryFrames(track), { code: 'unsupported_format' });
    }
  });

  test('names the languages of all tracks, in a map of any length, and no packet is lost', () => {
    const letters = [...'abcdefghijklmnop'];
    const codes = letters.map((letter) => `de${letter}`);
    const index = indexPackets(
      writeMpegTs([video([['key', 0]]), ...codes.map((code) => sound(code))]),
    );
    const [program] = readPrograms(index);
    assert.deepEqual(
      program?.streams?.map(({ language }) => language),
      ['', ...codes],
    );
    for (const { pid } of program?.streams?.slice(1) ?? []) {
      let units = 0;
      visitPackets(index, index.offsets.get(pid) ?? [], ({ startsUnit, lostBefore }) => {
        if (startsUnit) units += 1;
        assert.equal(lostBefore, 0);
      });
      // One that repeats the counter of the packet before is none.
      assert.equal(units, 3);
    }
  });

  test('decodes no frame after it is shown, with a clock half a second ahead, modulo 2^33', () => {
    const start = 2 ** 33 / 90_000;
    const shown = [0, 0.12, 0.04, 0.08].map((seconds) => start + seconds);
    const bytes = Buffer.from(
      writeMpegTs([video(shown.map((seconds, at) => [at === 0 ? 'key' : 'delta', seconds]))]),
    );
    const frames = [];
    for (let at = 0; at < bytes.length; at += 188) {
      if (bytes.readUInt16BE(at + 1) !== 0x4100) continue;
      const flags = bytes[at + 5] ?? 0;
      const pes = at + 5 + (bytes[at + 4] ?? 0);
      const clock = bytes.readUInt32BE(at + 6) * 2 + ((bytes[at + 10] ?? 0) >> 7);
      frames.push([flags, clock, timeAt(bytes, pes + 9), timeAt(bytes, pes + 14)]);
    }
    const late = 2 ** 33 - 45_000;
    assert.deepEqual(frames, [
      [0xd0, late - 3600, 0, 2 ** 33 - 3600],
      [0x10, late, 10_800, 0],
      [0x10, late + 3600, 3600, 3600],
      [0x10, late + 7200, 7200, 7200],
    ]);
  });
});

const longSound = (): FileTrack => sound('und', AAC_CONFIG, new Uint8Array(8185));

const timeAt = (bytes: Buffer, at: number): number =>
  (((bytes[at] ?? 0) >> 1) & 7) * 2 ** 30 +
  (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 +
  (bytes.readUInt16BE(at + 3) >> 1);
