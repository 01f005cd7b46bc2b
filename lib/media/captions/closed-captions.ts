/**
 * Closed captions inside the video (CTA-608), from the SEI messages of its frames: ATSC A/53, Part 4, 6.2.3.
 * Nothing is decoded for them.
 */

import {
  CAPTION_CHANNELS,
  type CaptionChannel,
  type CaptionPair,
  isCommandOf,
} from '../../domain/captions/closed-captions.ts';
import type { DemuxedVideo } from '../demux/demuxed-segment.ts';
import type { NalCodec } from '../demux/nal-units.ts';

/** Of a segment: 60 s with 120 frames a second in both fields, and some more. */
const MAX_PAIRS = 20_000;
/** Of one SEI unit: more than captions ever have. */
const MAX_SEI_BYTES = 4096;

const AVC_SEI = 6;
const HEVC_PREFIX_SEI = 39;
const REGISTERED_USER_DATA = 4;
/** United States, ATSC, and `GA94` with the type of captions. */
const ATSC_CAPTIONS = Buffer.from([0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03]);

/** Pairs of bytes in the order in which they are shown, without padding; times are the container's. */
export function readClosedCaptions(video: DemuxedVideo | undefined): CaptionPair[] {
  const { codec } = video ?? {};
  if (!video?.nalFrames || (codec !== 'avc' && codec !== 'hevc')) return [];
  const pairs: CaptionPair[] = [];
  for (const { ptsTicks, units } of video.nalFrames()) {
    for (const unit of units) {
      if (pairs.length >= MAX_PAIRS) break;
      if (!isSei(codec, unit)) continue;
      for (const pair of pairsIn(withoutEmulation(unit.subarray(0, MAX_SEI_BYTES)), codec)) {
        pairs.push({ ticks: ptsTicks, ...pair });
      }
    }
  }
  return pairs.toSorted((a, b) => a.ticks - b.ticks);
}

function isSei(codec: NalCodec, unit: Uint8Array): boolean {
  const header = unit[0] ?? 0;
  return codec === 'avc' ? (header & 0x1f) === AVC_SEI : ((header >> 1) & 0x3f) === HEVC_PREFIX_SEI;
}

/** H.264, 7.3.1: `00 00 03` stands for `00 00`. */
function withoutEmulation(unit: Uint8Array): Buffer {
  const bytes: number[] = [];
  let zeros = 0;
  for (const byte of unit) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    bytes.push(byte);
  }
  return Buffer.from(bytes);
}

/** SEI messages are (type, size, payload) with both numbers in bytes of 255 and a rest. */
function* pairsIn(sei: Buffer, codec: NalCodec): Generator<Omit<CaptionPair, 'ticks'>> {
  for (let at = codec === 'avc' ? 1 : 2; at + 2 < sei.length; ) {
    let type = 0;
    let size = 0;
    for (; sei[at] === 0xff; at += 1) type += 255;
    type += sei[at++] ?? 0;
    for (; sei[at] === 0xff; at += 1) size += 255;
    size += sei[at++] ?? 0;
    if (type === REGISTERED_USER_DATA) yield* pairsInUserData(sei.subarray(at, at + size));
    at += size;
  }
}

function* pairsInUserData(data: Buffer): Generator<Omit<CaptionPair, 'ticks'>> {
  const head = data.subarray(0, ATSC_CAPTIONS.length);
  const flags = data[ATSC_CAPTIONS.length] ?? 0;
  if (!head.equals(ATSC_CAPTIONS) || !(flags & 0x40)) return;
  const first = ATSC_CAPTIONS.length + 2;
  for (let at = first; at < first + 3 * (flags & 0x1f) && at + 2 < data.length; at += 3) {
    const [marker = 0, one = 0, two = 0] = data.subarray(at, at + 3);
    const type = marker & 3;
    // Types 2 and 3 are CTA-708, which stays in the video.
    const isField = (marker & 4) !== 0 && type < 2;
    const bytes = [one & 0x7f, two & 0x7f] as const;
    if (isField && (bytes[0] !== 0 || bytes[1] !== 0)) yield { field: type === 0 ? 1 : 2, bytes };
  }
}

/** Commands that begin captions: resume loading, roll-up, resume direct. */
const MODES: ReadonlySet<number> = new Set([0x20, 0x25, 0x26, 0x27, 0x29]);

/** The channels that have captions in these pairs. */
export const channelsIn = (pairs: readonly CaptionPair[]): CaptionChannel[] =>
  CAPTION_CHANNELS.filter((channel) =>
    pairs.some((pair) => isCommandOf(pair, channel) && MODES.has(pair.bytes[1])),
  );
