/** Frames as MPEG-TS and raw streams have them: with start codes, parameter sets and ADTS headers. */

import type { EncodedPacket } from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { type NalCodec, unitsInAnnexB, unitsInSample } from '../demux/nal-units.ts';
import type { FileTrack } from './write-file.ts';

/** The parts of each frame of a track. Throws `unsupported_format` for AAC that ADTS cannot describe. */
export function elementaryFrames(track: FileTrack): (readonly Uint8Array[])[] {
  const { packets, codec } = track;
  const config = descriptionOf(track.decoderConfig);
  if (codec === 'avc' || codec === 'hevc') return packets.map(pictureWriter(codec, config));
  // Without a description they came with headers of their own.
  if (codec !== 'aac' || !config) return packets.map(({ data }) => [data]);
  const headerOf = adtsHeaders(config);
  return packets.map(({ data }) => [headerOf(data.length), data]);
}

/** What a track's header says to decoders. */
function descriptionOf(config: object | undefined): Buffer | undefined {
  const { description } = (config ?? {}) as AudioDecoderConfig;
  if (!description) return undefined;
  if (!ArrayBuffer.isView(description)) return Buffer.from(description as ArrayBuffer);
  return Buffer.from(description.buffer, description.byteOffset, description.byteLength);
}

const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Access unit delimiters for slices of all types (ITU-T H.264 and H.265, 7.3.2): MPEG-TS requires one. */
const DELIMITERS: Readonly<Record<NalCodec, Readonly<{ type: number; unit: Uint8Array }>>> = {
  avc: { type: 9, unit: Uint8Array.of(0x09, 0xf0) },
  hevc: { type: 35, unit: Uint8Array.of(0x46, 0x01, 0x50) },
};

function pictureWriter(codec: NalCodec, config: Buffer | undefined) {
  const delimiter = DELIMITERS[codec];
  const front = [START_CODE, delimiter.unit];
  const isDelimiter = ([header = 0]: Uint8Array): boolean =>
    (codec === 'avc' ? header & 0x1f : (header >> 1) & 0x3f) === delimiter.type;
  if (!config) {
    return ({ data }: EncodedPacket) => {
      const [first] = unitsInAnnexB(data);
      return first && isDelimiter(first) ? [data] : [...front, data];
    };
  }
  const { lengthBytes, sets } = codec === 'avc' ? readAvcConfig(config) : readHevcConfig(config);
  const keyframeFront = [...front, ...sets.flatMap((set) => [START_CODE, set])];
  return ({ data, type }: EncodedPacket) => {
    const parts = [...(type === 'key' ? keyframeFront : front)];
    for (const unit of unitsInSample(data, lengthBytes)) {
      if (unit.length > 0 && !isDelimiter(unit)) parts.push(START_CODE, unit);
    }
    return parts;
  };
}

type NalConfig = Readonly<{ lengthBytes: number; sets: readonly Uint8Array[] }>;

/** ISO/IEC 14496-15, 5.3.3.1. */
function readAvcConfig(config: Buffer): NalConfig {
  const sets: Uint8Array[] = [];
  const ppsCountAt = readSets(config, 6, config.readUInt8(5) & 0x1f, sets);
  readSets(config, ppsCountAt + 1, config.readUInt8(ppsCountAt), sets);
  return { lengthBytes: (config.readUInt8(4) & 3) + 1, sets };
}

/** ISO/IEC 14496-15, 8.3.3.1. */
function readHevcConfig(config: Buffer): NalConfig {
  const sets: Uint8Array[] = [];
  let at = 23;
  for (let left = config.readUInt8(22); left > 0; left -= 1) {
    at = readSets(config, at + 3, config.readUInt16BE(at + 1), sets);
  }
  return { lengthBytes: (config.readUInt8(21) & 3) + 1, sets };
}

/** Each behind its length. Returns where they end; throws RangeError beyond the end. */
function readSets(config: Buffer, from: number, count: number, sets: Uint8Array[]): number {
  let at = from;
  for (let left = count; left > 0; left -= 1) {
    const end = at + 2 + config.readUInt16BE(at);
    sets.push(config.subarray(at + 2, end));
    at = end;
  }
  return at;
}

const ADTS_BYTES = 7;
const MAX_ADTS_FRAME_BYTES = 0x1fff;
/** Object types of an AudioSpecificConfig (ISO/IEC 14496-3, 1.5.1.1): what ADTS has two bits for, and SBR and PS. */
const LOW_COMPLEXITY = 2;
const MAX_ADTS_OBJECT = 4;
const WITH_EXTENSION: ReadonlySet<number> = new Set([5, 29]);
const ESCAPED_RATE = 15;

/**
 * ISO/IEC 14496-3, 1.A.2.2. Decoders find SBR and PS in the frames: the header has the object type and
 * the rate of what they extend.
 */
function adtsHeaders(config: Buffer): (dataBytes: number) => Uint8Array {
  const [b0, b1] = [config.readUInt8(0), config.readUInt8(1)];
  const objectType = WITH_EXTENSION.has(b0 >> 3) ? LOW_COMPLEXITY : b0 >> 3;
  const rate = ((b0 & 7) << 1) | (b1 >> 7);
  const channels = (b1 >> 3) & 0x0f;
  if (objectType > MAX_ADTS_OBJECT || rate === ESCAPED_RATE || channels > 7) throw noAdts();
  const b2 = ((objectType - 1) << 6) | (rate << 2) | (channels >> 2);
  return (dataBytes) => {
    const length = ADTS_BYTES + dataBytes;
    if (length > MAX_ADTS_FRAME_BYTES) throw noAdts();
    const b3 = ((channels & 3) << 6) | (length >> 11);
    return Uint8Array.of(
      ...[0xff, 0xf1, b2, b3],
      ...[(length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc],
    );
  };
}

const noAdts = (): DomainError =>
  new DomainError(
    'unsupported_format',
    "The source's AAC is of a kind that ts cannot describe.",
    'Ask for format=mp4 or format=mov, or for a rendition (resolution=720p).',
  );
