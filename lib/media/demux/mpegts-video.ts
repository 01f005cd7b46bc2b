/** The video stream of an MPEG-TS segment. */

import { BufferSource, Input, MPEG_TS } from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import { parseAvcSps } from './avc-sps.ts';
import type { DecoderInput, DemuxedVideo } from './demuxed-segment.ts';
import { type PesPacket, parseTsPacket, startsPes, TS_PACKET_BYTES } from './mpegts-packets.ts';
import {
  type FrameHeader,
  type NalCodec,
  PARAMETER_SETS,
  parseFrameHeader,
  startsClosed,
  unitsInAnnexB,
} from './nal-units.ts';

const AVC_SPS = 7;

/**
 * `bytes`: the whole segment. Reads the headers of the frames alone, whatever the size of their
 * slices. Throws DomainError: `no_keyframe`, `no_parameter_sets`, `undecodable`.
 */
export async function readVideo(
  bytes: Uint8Array,
  pid: number,
  codec: NalCodec,
  pesPackets: readonly PesPacket[],
): Promise<DemuxedVideo> {
  const frames = pesPackets.map(({ payload, randomAccess }) =>
    parseFrameHeader(codec, unitsInAnnexB(payload), randomAccess),
  );
  const entryIndex = frames.findIndex(({ entry }) => entry !== 'none');
  const name = codec === 'avc' ? 'H.264' : 'H.265';
  if (entryIndex < 0) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${frames.length} ${name} frames is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  requireParameterSets(codec, name, frames.slice(0, entryIndex + 1));
  const { pixelAspect, ...config } = await readConfig(bytes, pid, entryIndex);
  const entry = pesPackets[entryIndex]?.payload ?? new Uint8Array(0);
  return {
    codec,
    ...config,
    ...(codec === 'avc' && interlacedSize(entry, pixelAspect)),
    startsClosed: startsClosed(codec, frames),
    frames: pesPackets.flatMap(({ ptsTicks }) => (ptsTicks === undefined ? [] : [{ ptsTicks }])),
    stream: bytes,
    decoderInput: (previous) => decoderInput(bytes, (previous as TsVideo | undefined)?.stream),
  } as TsVideo;
}

type TsVideo = DemuxedVideo & Readonly<{ stream: Uint8Array }>;

const decoderInput = (bytes: Uint8Array, previous?: Uint8Array): DecoderInput => ({
  format: 'mpegts',
  bytes: previous ? Buffer.concat([previous, bytes]) : bytes,
  startsWithPrevious: previous !== undefined,
  delayTicks: 0,
});

function requireParameterSets(codec: NalCodec, name: string, frames: readonly FrameHeader[]): void {
  const missing = Object.values(PARAMETER_SETS[codec]).filter(
    (set) => !frames.some(({ parameterSets }) => parameterSets.has(set)),
  );
  if (missing.length === 0) return;
  throw new DomainError(
    'no_parameter_sets',
    `The first ${name} keyframe comes without ${missing.join(' and ')}.`,
    'Repeat the parameter sets at each keyframe (ffmpeg -c copy: add -bsf:v dump_extra), or encode with closed GOPs.',
  );
}

/**
 * Codec string and size, from the parameter sets. Only the program's tables and the first keyframe
 * go to the parser: it need not read the rest, nor understand the other streams.
 */
async function readConfig(bytes: Uint8Array, videoPid: number, entryIndex: number) {
  const kept: Uint8Array[] = [];
  const unitsOf = new Map<number, number>();
  const tables = new Set<number>();
  for (let offset = 0; offset < bytes.byteLength; offset += TS_PACKET_BYTES) {
    const { pid, startsUnit, payload } = parseTsPacket(bytes, offset);
    const units = (unitsOf.get(pid) ?? 0) + (startsUnit ? 1 : 0);
    unitsOf.set(pid, units);
    if (pid === videoPid && units > entryIndex + 1) break;
    if (startsUnit && pid !== videoPid && !startsPes(payload)) tables.add(pid);
    const wanted = pid === videoPid ? units === entryIndex + 1 : tables.has(pid) && units === 1;
    if (wanted) kept.push(bytes.subarray(offset, offset + TS_PACKET_BYTES));
  }
  const input = new Input({ source: new BufferSource(Buffer.concat(kept)), formats: [MPEG_TS] });
  const track = await input.getPrimaryVideoTrack().catch(() => null);
  const codecString = await track?.getCodecParameterString();
  if (!track || !codecString) throw undecodableParameters();
  const colorSpace = await track.getColorSpace();
  const { num, den } = await track.getPixelAspectRatio();
  return {
    codecString,
    widthPx: await track.getDisplayWidth(),
    heightPx: await track.getDisplayHeight(),
    pixelAspect: num / den,
    saysMatrix: Boolean(colorSpace.matrix),
  };
}

/** Display size of interlaced H.264, which mediabunny 1.61 takes for half as high; undefined for any other. */
function interlacedSize(frame: Uint8Array, pixelAspect: number) {
  for (const unit of unitsInAnnexB(frame)) {
    if (((unit[0] ?? 0) & 0x1f) !== AVC_SPS) continue;
    const { widthPx, heightPx, interlaced } = parseAvcSps(unit);
    if (!interlaced) return undefined;
    return pixelAspect >= 1
      ? { widthPx: Math.round(widthPx * pixelAspect), heightPx }
      : { widthPx, heightPx: Math.round(heightPx / pixelAspect) };
  }
  return undefined;
}

const undecodableParameters = (): DomainError =>
  new DomainError(
    'undecodable',
    'The parameter sets of the video cannot be read.',
    'The segment was damaged, or its encoder is broken; play it with ffplay to see.',
  );
