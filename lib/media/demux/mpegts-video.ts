/** The video stream of an MPEG-TS segment: PES packets become frames. */

import { DomainError } from '../../domain/errors.ts';
import type { Notice } from '../../domain/notice.ts';
import { type AccessUnit, type ScannedStream, scanAccessUnits } from './access-units.ts';
import type { DemuxedFrame, DemuxedVideo } from './demuxed-segment.ts';
import { fillTimes } from './frame-times.ts';
import { type ElementaryFrame, mpegTsDecoderInput } from './mpegts-decoder-input.ts';
import type { PesPacket, PesStream } from './mpegts-pes.ts';
import {
  type FrameHeader,
  type NalCodec,
  PARAMETER_SETS,
  parseFrameHeader,
  startsClosed,
  unitsInAnnexB,
} from './nal-units.ts';

type TsVideo = DemuxedVideo & Readonly<{ elementaryFrames: readonly Uint8Array[] }>;

type Frame = Readonly<{ unit: AccessUnit; header: FrameHeader; ptsTicks: number | undefined }>;

/**
 * Reads the headers of the frames alone, whatever the size of their slices. undefined when no picture
 * begins in the stream. Throws DomainError: `no_keyframe`, `no_parameter_sets`, `undecodable`.
 */
export function readVideo(
  codec: NalCodec,
  pes: PesStream,
): Readonly<{ video: DemuxedVideo; notices: readonly Notice[] }> | undefined {
  const scanned = scanAccessUnits(codec, pes.data);
  const frames = joinFields(timedFrames(codec, scanned.units, pes.packets));
  if (frames.length === 0) return undefined;
  const headers = frames.map(({ header }) => header);
  const name = codec === 'avc' ? 'H.264' : 'H.265';
  requireKeyframe(codec, name, headers);
  const { frameTicks, fields: _, ...parameters } = requireParameters(scanned);
  const times = fillTimes(
    frames.map(({ ptsTicks }) => ptsTicks),
    frameTicks,
  );
  if (!times) {
    throw new DomainError(
      'undecodable',
      `None of the ${frames.length} ${name} frames has a presentation time (PTS).`,
      'Set the times of the frames in the encoder (ffmpeg: -fflags +genpts).',
    );
  }
  const elementaryFrames = frames.map(({ unit }, index) =>
    pes.data.subarray(startOf(pes.data, unit), endOf(pes.data, frames[index + 1]?.unit)),
  );
  const video: TsVideo = {
    codec,
    ...parameters,
    startsClosed: startsClosed(codec, headers),
    frames: times.map((ptsTicks) => ({ ptsTicks })),
    elementaryFrames,
    *nalFrames() {
      for (const { bytes, ptsTicks } of joinFrames(elementaryFrames, this.frames)) {
        yield { ptsTicks, units: unitsInAnnexB(bytes) };
      }
    },
    decoderInput(previous) {
      const before =
        previous && isTsVideo(previous) && previous.codec === codec ? previous : undefined;
      return mpegTsDecoderInput(
        codec,
        joinFrames(elementaryFrames, this.frames),
        before && joinFrames(before.elementaryFrames, before.frames),
      );
    },
  };
  const notices = sizeNotices(scanned);
  return { video: { ...video, ...(notices.length > 0 && { changesSize: true }) }, notices };
}

const isTsVideo = (video: DemuxedVideo): video is TsVideo => 'elementaryFrames' in video;

const joinFrames = (
  bytes: readonly Uint8Array[],
  frames: readonly DemuxedFrame[],
): ElementaryFrame[] =>
  bytes.map((it, index) => ({ bytes: it, ptsTicks: frames[index]?.ptsTicks ?? 0 }));

/** The zero in front of a start code of four bytes belongs to it. */
const startOf = (data: Buffer, unit: AccessUnit): number =>
  data[unit.start - 1] === 0 ? unit.start - 1 : unit.start;

const endOf = (data: Buffer, next: AccessUnit | undefined): number =>
  next ? startOf(data, next) : data.length;

/**
 * A PTS is that of the first picture that begins in its PES packet (ISO/IEC 13818-1, 2.4.3.7). A
 * picture whose beginning lies in the segment before is left out.
 */
function timedFrames(
  codec: NalCodec,
  units: readonly AccessUnit[],
  packets: readonly PesPacket[],
): Frame[] {
  const begun = units[0]?.isBegun === false ? units.slice(1) : units;
  let next = 0;
  return begun.map((unit) => {
    let packet: PesPacket | undefined;
    for (; (packets[next]?.start ?? Infinity) <= unit.start; next += 1) packet = packets[next];
    const header = parseFrameHeader(codec, unit.headUnits, packet?.randomAccess ?? false);
    return { unit, header, ptsTicks: packet?.ptsTicks };
  });
}

/** Two fields of opposite parity with one `frame_num` are a frame (H.264, 7.4.1.2.4). */
function joinFields(pictures: readonly Frame[]): Frame[] {
  const frames: Frame[] = [];
  let first: Frame | undefined;
  for (const picture of pictures) {
    const { field } = picture.unit;
    const before = first?.unit.field;
    const isSecond =
      field &&
      before &&
      field.isBottom !== before.isBottom &&
      field.frameNumber === before.frameNumber;
    if (first && isSecond) {
      frames[frames.length - 1] = { ...first, ptsTicks: first.ptsTicks ?? picture.ptsTicks };
      first = undefined;
    } else {
      frames.push(picture);
      first = picture;
    }
  }
  return frames;
}

function requireKeyframe(codec: NalCodec, name: string, frames: readonly FrameHeader[]): void {
  const entryIndex = frames.findIndex(({ entry }) => entry !== 'none');
  if (entryIndex < 0) {
    throw new DomainError(
      'no_keyframe',
      `None of the ${frames.length} ${name} frames is a keyframe.`,
      'Cut segments at keyframes, and set the keyframe interval to the segment length (ffmpeg: -g).',
    );
  }
  const upToEntry = frames.slice(0, entryIndex + 1);
  const missing = Object.values(PARAMETER_SETS[codec]).filter(
    (set) => !upToEntry.some(({ parameterSets }) => parameterSets.has(set)),
  );
  if (missing.length === 0) return;
  throw new DomainError(
    'no_parameter_sets',
    `The first ${name} keyframe comes without ${missing.join(' and ')}.`,
    'Repeat the parameter sets at each keyframe (ffmpeg -c copy: add -bsf:v dump_extra), or encode with closed GOPs.',
  );
}

function requireParameters({ parameters: [first], damage }: ScannedStream) {
  if (first) return first;
  throw new DomainError(
    'undecodable',
    `The sequence parameter set (SPS) of the video is damaged: ${damage ?? 'it is empty'}.`,
    'Damage on the way can be cured by sending the segment again; if it stays, play it with ffplay to see.',
  );
}

function sizeNotices({ parameters }: ScannedStream): Notice[] {
  const sizes = [...new Set(parameters.map(({ widthPx, heightPx }) => `${widthPx}x${heightPx}`))];
  if (sizes.length < 2) return [];
  const message = `The size of the picture changes inside the segment: ${sizes.join(', ')}.`;
  return [{ code: 'format_changed', message }];
}
