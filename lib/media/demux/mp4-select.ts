/** Takes the tracks of an MP4 that can be read, and says which are left out. */

import type { Notice } from '../../domain/notice.ts';
import { BoxFields, childAt, type Mp4Box, undecodable } from './mp4-boxes.ts';
import {
  type AudioConfig,
  type Mp4TrackHeader,
  readAudioConfig,
  readVideoConfig,
  type VideoConfig,
} from './mp4-codec.ts';
import { applyEdits, type PlacedSample, readEditList } from './mp4-edit-list.ts';
import {
  KNOWN_FORMATS,
  nameFormat,
  readSampleDescription,
  writeSampleDescription,
} from './mp4-sample-description.ts';
import { type Mp4Sample, requireDistinctBytes, requirePlausible } from './mp4-samples.ts';
import { type Mp4Source, readSamples } from './mp4-track-samples.ts';
import {
  damagedTrack,
  foreignTrack,
  listTracks,
  type Mp4Track,
  mustBeTaken,
  noticeOf,
  reasonUnread,
  refuse,
  type UnreadReason,
  type UnreadTrack,
  writeTrackHeader,
} from './mp4-tracks.ts';

/** Edits may show parts of the media several times, and need what comes before each. */
const MAX_EDITED_SHARE = 4;
const MAX_AUDIO_CHANNELS = 24;
const MAX_SAMPLE_RATE_HZ = 192_000;
/** AudioSpecificConfig has a few bytes; OpusHead 21 and one for each channel. */
const MAX_AUDIO_CONFIG_BYTES = 64;

export type TakenVideo = TakenTrack & Readonly<{ video: VideoConfig }>;
export type TakenAudio = TakenTrack & Readonly<{ audio: AudioConfig }>;
type TakenTrack = Readonly<{
  track: Mp4Track;
  trackHeader: Mp4TrackHeader;
  /** In decode order; one of them is shown at least. */
  samples: readonly PlacedSample[];
}>;

/**
 * The first video track and all audio tracks that have samples. Throws DomainError: `undecodable`,
 * `unsupported_media`, `truncated_segment`.
 */
export async function selectTracks(source: Mp4Source) {
  const tracks = listTracks(source.header, source.moov);
  const { samples, counts, notices } = readSamples(source, tracks);
  requireKnownIds(tracks, counts);
  const unread: UnreadTrack[] = [];
  const read: ReadTrack[] = [];
  for (const track of tracks) {
    const count = counts.get(track.trackId) ?? 0;
    if (count === 0) continue;
    const hasVideo = track.kind === 'video' && read.some(({ video }) => video);
    const found: ReadTrack =
      track.isKnown && hasVideo
        ? { unread: foreignTrack('a second picture') }
        : await readTrack(source, track, samples.get(track.trackId) ?? []);
    if (found.unread) unread.push({ ...found.unread, track });
    read.push(found);
  }
  const video = read.find((it) => it.video)?.video;
  const audio = read.flatMap((it) => it.audio ?? []);
  const isTaken = { video: video !== undefined, audio: audio.length > 0, data: true };
  const missing = unread.filter(
    ({ track }) => !isTaken[track.kind] && mustBeTaken(track, counts.get(track.trackId) ?? 0),
  );
  if (missing.length > 0) refuse(missing);
  if (unread.length > 0 && !video && audio.length === 0) refuse(unread);
  const found = read.flatMap((it) => it.notices ?? []);
  return { video, audio, notices: [...notices, ...found, ...unread.map(noticeOf)] };
}

/** An init segment is good if one of its tracks can be read. Throws DomainError. */
export async function checkTracks(header: Uint8Array, moov: Mp4Box): Promise<void> {
  const unread: UnreadTrack[] = [];
  for (const track of listTracks(header, moov)) {
    const unreadable = reasonUnread(track);
    const config = unreadable ? { unread: unreadable } : await readConfig(header, track, 1);
    if (!config.unread) return;
    unread.push({ ...config.unread, track });
  }
  if (unread.length > 0) refuse(unread);
  throw undecodable(
    'The init segment cannot be read (no track).',
    'Send the boxes ftyp and moov, whole, that the encoder writes before its fragments.',
  );
}

/** A header and fragments that do not belong together: the encoder changed its tracks. */
function requireKnownIds(tracks: readonly Mp4Track[], counts: ReadonlyMap<number, number>): void {
  const [known, found] = [tracks.map(({ trackId }) => trackId), [...counts.keys()]];
  if (found.length === 0 || found.some((id) => known.includes(id))) return;
  const list = (ids: readonly number[]) => ids.slice(0, MAX_NAMED_IDS).join(', ') || 'none';
  throw undecodable(
    `The fragments are of the tracks ${list(found)}; the header has the tracks ${list(known)}.`,
    'Send the init segment that belongs to the fragments ahead of them.',
  );
}

const MAX_NAMED_IDS = 8;

type ReadTrack = Readonly<{
  video?: TakenVideo;
  audio?: TakenAudio;
  unread?: UnreadReason;
  notices?: readonly Notice[];
}>;

async function readTrack(
  source: Mp4Source,
  track: Mp4Track,
  all: readonly Mp4Sample[],
): Promise<ReadTrack> {
  const unread = reasonUnread(track);
  if (unread) return { unread };
  const { bytes, header } = source;
  const description = all[0]?.description ?? 1;
  const samples = all.filter((sample) => sample.description === description);
  const first = samples.find(({ isSync }) => isSync) ?? samples[0];
  const frame = first && bytes.subarray(first.at, first.at + first.sizeBytes);
  const config = await readConfig(header, track, description, frame);
  if (config.unread) return config;
  const { placed, notices } = edit(source, track, samples);
  if (samples.length < all.length) {
    const message = `Track ${track.trackId} changes its codec configuration; ${all.length - samples.length} of its ${all.length} samples are left out.`;
    notices.push({ code: 'format_changed', message });
  }
  if (placed.every(({ isHidden }) => isHidden)) return { notices };
  const { trackHeader } = config;
  const taken = { track, trackHeader, samples: placed };
  return config.video
    ? { video: { ...taken, video: config.video }, notices }
    : { audio: { ...taken, audio: config.audio }, notices };
}

function edit({ bytes, header, moov }: Mp4Source, track: Mp4Track, samples: readonly Mp4Sample[]) {
  const { trackId, trak, kind, timescale } = track;
  const edits = readEditList(header, trak);
  const placed: PlacedSample[] = applyEdits({
    kind: kind === 'video' ? 'video' : 'audio',
    ...{ timescale, edits, samples },
    movieTimescale: readMovieTimescale(header, moov),
    isFragmented: childAt(moov, 'mvex') !== undefined,
  });
  requirePlausible(placed.length, 'elst');
  requireDistinctBytes(placed, trackId, bytes.byteLength, MAX_EDITED_SHARE);
  const dwells = edits.filter(({ isDwell }) => isDwell).length;
  const message = `The edit list of track ${trackId} has ${dwells} still pictures, which are left out.`;
  const notices: Notice[] = dwells > 0 ? [{ code: 'damaged', message }] : [];
  return { placed, notices };
}

function readMovieTimescale(bytes: Uint8Array, moov: Mp4Box): number {
  const box = childAt(moov, 'mvhd');
  if (!box) return 1;
  const fields = new BoxFields(bytes, box);
  fields.skip(fields.versionAndFlags().version === 1 ? 16 : 8);
  return Math.max(1, fields.u32());
}

type TrackConfig =
  | Readonly<{ unread: UnreadReason }>
  | (KnownConfig & Readonly<{ video: VideoConfig }>)
  | (KnownConfig & Readonly<{ video?: never; audio: AudioConfig }>);
type KnownConfig = Readonly<{ unread?: never; trackHeader: Mp4TrackHeader }>;

/** `description`: which entry of `stsd`, from 1. `frame`: one that decoding can start with. */
async function readConfig(
  bytes: Uint8Array,
  { kind, trak, packedLanguage }: Mp4Track,
  description: number,
  frame?: Uint8Array,
): Promise<TrackConfig> {
  const entry = readSampleDescription(bytes, trak, description);
  if (!entry) return { unread: damagedTrack('without a sample description') };
  const { format } = entry;
  const sampleDescription = writeSampleDescription(bytes, kind, entry);
  if (!sampleDescription) return { unread: damagedTrack(`of a damaged description (${format})`) };
  const unsupported = { unread: foreignTrack(nameFormat(format)) };
  if (!KNOWN_FORMATS[kind].has(format)) return unsupported;
  try {
    if (kind === 'video') {
      const matrix = writeTrackHeader(bytes, trak);
      const trackHeader = { kind, sampleDescription, ...(matrix && { trackHeader: matrix }) };
      const video = await readVideoConfig(trackHeader, frame);
      return video ? { trackHeader, video } : unsupported;
    }
    const trackHeader = { kind: 'audio', sampleDescription, packedLanguage } as const;
    const audio = await readAudioConfig(trackHeader, frame);
    if (!audio) return unsupported;
    const unread = reasonUnheard(audio);
    return unread ? { unread } : { trackHeader, audio };
  } catch (error) {
    const { message } = error as Error;
    return { unread: damagedTrack(`of a configuration that cannot be read (${message})`) };
  }
}

/** Object types of AAC (ISO/IEC 14496-3) that decoders of streams have: LC, and HE in both versions. */
const AAC_TYPES = /^mp4a\.(?:40\.(?:2|5|29)|67)$/;

function reasonUnheard(audio: AudioConfig): UnreadReason | undefined {
  const { codec, codecString, sampleRateHz, channels, description } = audio;
  if (codec === 'aac' && !AAC_TYPES.test(codecString)) {
    return foreignTrack(`AAC of an unusual object type (${codecString})`);
  }
  const isPlausible =
    Number.isInteger(sampleRateHz) &&
    sampleRateHz > 0 &&
    sampleRateHz <= MAX_SAMPLE_RATE_HZ &&
    channels <= MAX_AUDIO_CHANNELS &&
    (description?.byteLength ?? 0) <= MAX_AUDIO_CONFIG_BYTES;
  return isPlausible
    ? undefined
    : damagedTrack(`${codec} with ${channels} channels at ${sampleRateHz} Hz`);
}
