/** Which program and which streams of a multiplex are taken, and what becomes of the others. */

import type { Notice } from '../../domain/notice.ts';
import type { FramedAudioCodec } from './audio-frames.ts';
import { isScrambled, type PacketIndex } from './mpegts-packets.ts';
import type { ElementaryStream, Program } from './mpegts-tables.ts';
import type { NalCodec } from './nal-units.ts';

/** What a stream carries. Data (subtitles, metadata, cue messages) is nobody's loss, and not spoken of. */
export type StreamKind =
  | Readonly<{ kind: 'video'; codec: NalCodec }>
  | Readonly<{ kind: 'audio'; codec: FramedAudioCodec }>
  | Readonly<{ kind: 'unsupported'; name: string }>
  | Readonly<{ kind: 'data' }>;

/** By `stream_type` (ISO/IEC 13818-1, Table 2-34, and what ATSC and others add). */
const VIDEO_TYPES: ReadonlyMap<number, NalCodec> = new Map([
  [0x1b, 'avc'],
  [0x24, 'hevc'],
]);
const AUDIO_TYPES: ReadonlyMap<number, FramedAudioCodec> = new Map([
  [0x03, 'mp3'],
  [0x04, 'mp3'],
  [0x0f, 'aac'],
  [0x81, 'ac3'],
  [0x87, 'eac3'],
]);
const PRIVATE_DATA = 0x06;
const UNSUPPORTED_TYPES: ReadonlyMap<number, string> = new Map([
  [0x01, 'MPEG-1 video'],
  [0x02, 'MPEG-2 video'],
  [0x10, 'MPEG-4 part 2 video'],
  [0x11, 'AAC in LATM'],
  [0x1c, 'AAC without headers'],
  [0x21, 'JPEG 2000 video'],
  [0x2d, 'MPEG-H audio'],
  [0x33, 'H.266 video'],
  [0x42, 'AVS video'],
  [0x82, 'DTS'],
  [0x83, 'Dolby TrueHD'],
  [0xcf, 'encrypted AAC (SAMPLE-AES)'],
  [0xc1, 'encrypted AC-3 (SAMPLE-AES)'],
  [0xc2, 'encrypted E-AC-3 (SAMPLE-AES)'],
  [0xd1, 'Dirac video'],
  [0xd2, 'AVS2 video'],
  [0xdb, 'encrypted H.264 (SAMPLE-AES)'],
  [0xea, 'VC-1 video'],
]);
/** Of private data: the tag of a descriptor (ETSI EN 300 468, 6.1), or what is registered. */
const BY_DESCRIPTOR: ReadonlyMap<number, StreamKind> = new Map([
  [0x7a, { kind: 'audio', codec: 'eac3' }],
  [0x6a, { kind: 'audio', codec: 'ac3' }],
  [0x7b, { kind: 'unsupported', name: 'DTS' }],
]);
const BY_REGISTRATION: ReadonlyMap<string, StreamKind> = new Map([
  ['HEVC', { kind: 'video', codec: 'hevc' }],
  ['EAC3', { kind: 'audio', codec: 'eac3' }],
  ['AC-3', { kind: 'audio', codec: 'ac3' }],
  ['Opus', { kind: 'unsupported', name: 'Opus' }],
  ['DTS1', { kind: 'unsupported', name: 'DTS' }],
  ['DTS2', { kind: 'unsupported', name: 'DTS' }],
  ['DTS3', { kind: 'unsupported', name: 'DTS' }],
  ['BSSD', { kind: 'unsupported', name: 'PCM (SMPTE 302M)' }],
  ['AC-4', { kind: 'unsupported', name: 'AC-4' }],
  ['AV01', { kind: 'unsupported', name: 'AV1 video' }],
  ['VC-1', { kind: 'unsupported', name: 'VC-1 video' }],
]);

export function kindOf({ streamType, descriptors, registration }: ElementaryStream): StreamKind {
  const video = VIDEO_TYPES.get(streamType);
  if (video) return { kind: 'video', codec: video };
  const audio = AUDIO_TYPES.get(streamType);
  if (audio) return { kind: 'audio', codec: audio };
  const name = UNSUPPORTED_TYPES.get(streamType);
  if (name) return { kind: 'unsupported', name };
  if (streamType !== PRIVATE_DATA) return { kind: 'data' };
  const described = [...BY_DESCRIPTOR].find(([tag]) => descriptors.has(tag))?.[1];
  return described ?? BY_REGISTRATION.get(registration) ?? { kind: 'data' };
}

export type PresentStream = Readonly<{
  stream: ElementaryStream;
  kind: StreamKind;
  offsets: readonly number[];
  scrambled: boolean;
}>;

export type ChosenProgram = Readonly<{
  /** Of the program, with something in them, in the order of its map. */
  streams: readonly PresentStream[];
  notices: readonly Notice[];
}>;

/** The first program with a video that can be read, else the first with such audio, else the first with a map. */
export function chooseProgram(
  index: PacketIndex,
  programs: readonly Program[],
): ChosenProgram | undefined {
  const mapped = programs.flatMap(({ number, streams }) =>
    streams ? [{ number, streams: presentStreams(index, streams) }] : [],
  );
  const withReadable = (wanted: StreamKind['kind']) =>
    mapped.find(({ streams }) =>
      streams.some(({ kind, scrambled }) => kind.kind === wanted && !scrambled),
    );
  const chosen =
    withReadable('video') ??
    withReadable('audio') ??
    mapped.find(({ streams }) => streams.length > 0) ??
    mapped[0];
  if (!chosen) return undefined;
  const others = mapped.filter((it) => it !== chosen && it.streams.some(isMedia));
  return { streams: chosen.streams, notices: ignoredPrograms(chosen.number, others) };
}

const isMedia = ({ kind }: PresentStream): boolean => kind.kind !== 'data';

function ignoredPrograms(taken: number, others: readonly Readonly<{ number: number }>[]): Notice[] {
  if (others.length === 0) return [];
  const numbers = new Intl.ListFormat('en-GB').format(others.map(({ number }) => String(number)));
  const message = `Program ${taken} of the transport stream is taken; ${others.length === 1 ? 'program' : 'programs'} ${numbers} ${others.length === 1 ? 'is' : 'are'} left out.`;
  return [{ code: 'program_ignored', message }];
}

function presentStreams(index: PacketIndex, streams: readonly ElementaryStream[]): PresentStream[] {
  return streams.flatMap((stream) => {
    const offsets = index.offsets.get(stream.pid) ?? [];
    // Most packets start nothing: a look at their flags is enough.
    const starts = offsets.filter((at) => ((index.bytes[at + 1] ?? 0) & 0x40) !== 0);
    if (starts.length === 0) return [];
    const scrambled = starts.every((at) => isScrambled(index.bytes, at));
    return [{ stream, kind: kindOf(stream), offsets, scrambled }];
  });
}
