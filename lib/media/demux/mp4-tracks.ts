/** The tracks of an MP4: which there are, and which of them are taken. */

import { DomainError } from '../../domain/errors.ts';
import { normalLanguage, UNDETERMINED } from '../../domain/languages/language.ts';
import { listCodecs, MEDIA_FORMATS } from '../../domain/media-format.ts';
import type { Notice } from '../../domain/notice.ts';
import { type Box, boxesAt, viewOf } from '../iso-boxes.ts';
import { languageTag } from './demuxed-segment.ts';
import { BoxFields, childAt, type Mp4Box, undecodable } from './mp4-boxes.ts';
import {
  KNOWN_FORMATS,
  nameFormat,
  PICTURE_FORMATS,
  readSampleDescription,
  type SampleDescription,
  type TrackKind,
} from './mp4-sample-description.ts';

export type Mp4Track = Readonly<{
  trackId: number;
  kind: TrackKind;
  trak: Mp4Box;
  timescale: number;
  /** Three letters of five bits (8.4.2.3). */
  packedLanguage: number;
  /** The first; samples may have others. */
  description: SampleDescription | undefined;
  /** Its boxes of samples have to be read. */
  isKnown: boolean;
}>;

/** Of each kind, tracks whose samples are read; others are left out. */
const MAX_TRACKS = 16;

const KINDS: Readonly<Record<string, TrackKind>> = { vide: 'video', soun: 'audio' };

/** In the order of the `moov`, one of each track_ID. Throws DomainError `undecodable`. */
export function listTracks(bytes: Uint8Array, moov: Mp4Box): Mp4Track[] {
  const ids = new Set<number>();
  const known = { video: 0, audio: 0, data: 0 };
  return moov.children.flatMap((trak): Mp4Track[] => {
    const header = childAt(trak, 'tkhd');
    const media = childAt(trak, 'mdia', 'mdhd');
    if (trak.type !== 'trak' || !header || !media) return [];
    const trackId = readTrackId(bytes, header);
    if (ids.has(trackId)) return [];
    ids.add(trackId);
    const { timescale, packedLanguage } = readMediaHeader(bytes, media);
    const kind = readKind(bytes, trak);
    const description = readSampleDescription(bytes, trak, 1);
    const format = description?.format ?? '';
    const isReadable = timescale > 0 && KNOWN_FORMATS[kind].has(format);
    const isKnown = isReadable && ++known[kind] <= MAX_TRACKS;
    return [{ trackId, kind, trak, timescale, packedLanguage, description, isKnown }];
  });
}

function readTrackId(bytes: Uint8Array, header: Mp4Box): number {
  const fields = new BoxFields(bytes, header);
  fields.skip(fields.versionAndFlags().version === 1 ? 16 : 8);
  return fields.u32();
}

/** 8.4.2. */
function readMediaHeader(bytes: Uint8Array, media: Mp4Box) {
  const fields = new BoxFields(bytes, media);
  const isLong = fields.versionAndFlags().version === 1;
  fields.skip(isLong ? 16 : 8);
  const timescale = fields.u32();
  fields.skip(isLong ? 8 : 4);
  return { timescale, packedLanguage: fields.u16() };
}

/** BCP 47, with its region where there is an extended language tag (8.4.6). */
export function languageOf(bytes: Uint8Array, { trak, packedLanguage }: Mp4Track): string {
  const extended = childAt(trak, 'mdia', 'elng');
  const [tag = ''] = extended ? textsOf(bytes, extended) : [];
  if (normalLanguage(tag) !== UNDETERMINED) return normalLanguage(tag);
  const letters = [10, 5, 0].map((shift) => 0x60 + ((packedLanguage >> shift) & 0x1f));
  return languageTag(String.fromCharCode(...letters));
}

/** Roles of DASH (ISO/IEC 23009-1, 5.8.5.5) and purposes of TV-Anytime, as `kind` boxes name them (8.10.4). */
const DESCRIPTION_KINDS: ReadonlySet<string> = new Set([
  'urn:mpeg:dash:role:2011 description',
  'urn:tva:metadata:cs:AudioPurposeCS:2007 1',
]);

/** User data may end in what is no box, so it is read by itself. */
export function describesVideo(bytes: Uint8Array, { trak }: Mp4Track): boolean {
  const userData = childAt(trak, 'udta');
  const kinds = userData ? boxesAt(bytes, ['kind'], userData) : [];
  return kinds.some((box) => DESCRIPTION_KINDS.has(textsOf(bytes, box).slice(0, 2).join(' ')));
}

const MAX_TEXT_BYTES = 200;

/** The texts of a full box that holds nothing else, each with a zero behind it. */
const textsOf = (bytes: Uint8Array, { bodyStart, end }: Box): string[] =>
  Buffer.from(bytes.subarray(bodyStart + 4, Math.min(end, bodyStart + 4 + MAX_TEXT_BYTES)))
    .toString('latin1')
    .split('\0');

function readKind(bytes: Uint8Array, trak: Mp4Box): TrackKind {
  const handler = childAt(trak, 'mdia', 'hdlr');
  if (!handler) return 'data';
  const fields = new BoxFields(bytes, handler);
  fields.skip(8);
  const letters = [fields.u8(), fields.u8(), fields.u8(), fields.u8()];
  return KINDS[String.fromCharCode(...letters)] ?? 'data';
}

/** How many samples the track's own tables announce; fragments may have more. */
export function countListedSamples(bytes: Uint8Array, { trak }: Mp4Track): number {
  const stbl = childAt(trak, 'mdia', 'minf', 'stbl');
  const box = stbl && (childAt(stbl, 'stsz') ?? childAt(stbl, 'stz2'));
  if (!box) return 0;
  const fields = new BoxFields(bytes, box);
  fields.skip(8);
  return fields.u32();
}

/** `tkhd` for a file in which the track is the first; undefined when it is cut. */
export function writeTrackHeader(bytes: Uint8Array, trak: Mp4Box): Uint8Array | undefined {
  const header = childAt(trak, 'tkhd');
  if (!header) return undefined;
  const isLong = bytes[header.bodyStart] === 1;
  const size = isLong ? 96 : 84;
  if (header.bodyStart + size > header.end) return undefined;
  const copy = Buffer.alloc(8 + size);
  copy.writeUInt32BE(copy.length);
  copy.write('tkhd', 4, 'latin1');
  copy.set(bytes.subarray(header.bodyStart, header.bodyStart + size), 8);
  viewOf(copy).setUint32(8 + (isLong ? 20 : 12), 1);
  return copy;
}

/** Why a track is left out: what it is, to follow "is". */
export type UnreadReason = Readonly<{
  reason: string;
  code: 'unsupported_media' | 'undecodable';
}>;
export type UnreadTrack = UnreadReason & Readonly<{ track: Mp4Track }>;

export const damagedTrack = (reason: string): UnreadReason => ({ reason, code: 'undecodable' });
export const foreignTrack = (reason: string): UnreadReason => {
  return { reason, code: 'unsupported_media' };
};

/** By the track's header alone; undefined if it may be taken. */
export function reasonUnread(track: Mp4Track): UnreadReason | undefined {
  const { isKnown, timescale, kind, description } = track;
  if (isKnown) return undefined;
  if (!description) return damagedTrack('without a sample description');
  const { format, encryption } = description;
  if (encryption !== undefined) {
    return foreignTrack(encryption ? `encrypted (${encryption})` : 'encrypted');
  }
  if (!KNOWN_FORMATS[kind].has(format)) return foreignTrack(nameFormat(format));
  return timescale > 0
    ? foreignTrack(`one of more than ${MAX_TRACKS}`)
    : damagedTrack('without a time scale');
}

const nameTrack = ({ kind, trackId }: Mp4Track): string =>
  kind === 'data' ? `Track ${trackId}` : `The ${kind} track ${trackId}`;

export const noticeOf = ({ track, reason }: UnreadTrack): Notice => ({
  code: 'track_ignored',
  message: `${nameTrack(track)} is ${reason}; it is left out.`,
});

/**
 * Without picture or sound that there is, a stream would not be what its owner sent. Covers and other
 * still pictures do not count, nor does data.
 */
export const mustBeTaken = (track: Mp4Track, samples: number): boolean =>
  track.kind !== 'data' &&
  samples > 0 &&
  !(PICTURE_FORMATS.has(track.description?.format ?? '') && samples <= MAX_STILLS);

/** Chapters have some; a film has more. */
const MAX_STILLS = 16;

const MAX_NAMED_TRACKS = 4;

/** Throws DomainError: `unsupported_media`, or `undecodable` if all are damaged. */
export function refuse(unread: readonly UnreadTrack[]): never {
  const said = unread
    .slice(0, MAX_NAMED_TRACKS)
    .map(({ track, reason }) => `${nameTrack(track)} is ${reason}`);
  const message = `${said.join('. ')}.`;
  if (unread.every(({ code }) => code === 'undecodable')) throw undecodable(message);
  const { video, audio } = MEDIA_FORMATS.mp4;
  throw new DomainError(
    'unsupported_media',
    message,
    `Encode video as ${listCodecs(video)}, and audio as ${listCodecs(audio)}, without encryption.`,
  );
}
