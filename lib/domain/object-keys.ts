/** Names of stored objects. Made here and nowhere else; a name is never used twice for other bytes. */

/**
 * A stream's id may be used again after it was deleted; its `uid` is not. `track`: of a source track that
 * is uploaded on its own, the name; its records and objects lie within those of the stream.
 */
export type StreamIdentity = Readonly<{ videoId: string; uid: string; track?: string }>;

/** The part of partitions and keys that names the stream, or its track. */
export const placeOf = ({ videoId, uid, track }: StreamIdentity): string =>
  track === undefined ? `${videoId}/${uid}` : `${videoId}/${uid}/${track}`;

const padded = (number: number): string => String(number).padStart(10, '0');

export const sourcePrefix = (stream: StreamIdentity): string => `source/${placeOf(stream)}/`;

export const mediaPrefix = (stream: StreamIdentity): string => `media/${placeOf(stream)}/`;

/** Bytes as the encoder sent them. `digest` keeps two encoders that race for one number apart. */
export const sourceSegmentKey = (
  stream: StreamIdentity,
  run: number,
  number: number,
  digest: string,
  extension: string,
): string => `${sourcePrefix(stream)}${run}/${padded(number)}-${digest.slice(0, 16)}.${extension}`;

export const sourceInitKey = (stream: StreamIdentity, digest: string): string =>
  `${sourcePrefix(stream)}init/${digest.slice(0, 32)}.mp4`;

/** Where a presigned upload is stored before it is committed; then this object is the source segment. */
export const presignedKey = (stream: StreamIdentity, presignId: string): string =>
  `${sourcePrefix(stream)}granted/${presignId}.bin`;

/** A whole file as somebody uploaded it, until it is cut into segments. */
export const uploadedFileKey = (stream: StreamIdentity, fileId: number): string =>
  `${sourcePrefix(stream)}file/${fileId}`;

/** The stream and upload of such a key; undefined for any other key. */
export function parsePresignedKey(
  key: string,
): (StreamIdentity & { presignId: string }) | undefined {
  const [, videoId, uid, track, presignId] =
    key.match(/^source\/([^/]+)\/([^/]+)\/(?:([^/]+)\/)?granted\/([0-9a-f]+)\.bin$/) ?? [];
  if (!videoId || !uid || !presignId) return undefined;
  return { videoId, uid, ...(track !== undefined && { track }), presignId };
}

/** `digest` of the segment's bytes: two attempts at one job that differ get two names. */
export const renditionSegmentKey = (
  stream: StreamIdentity,
  rendition: string,
  run: number,
  number: number,
  digest: string,
): string =>
  `${mediaPrefix(stream)}${rendition}/${run}-${padded(number)}-${digest.slice(0, 12)}.m4s`;

/** A still picture of a segment. `digest` as in `renditionSegmentKey`. */
export const posterKey = (
  stream: StreamIdentity,
  run: number,
  number: number,
  digest: string,
): string => `${mediaPrefix(stream)}poster-${run}-${padded(number)}-${digest.slice(0, 12)}.jpg`;

/** Where all posters of a stream lie. */
export const postersOf = (stream: StreamIdentity): KeysBetween => {
  const prefix = mediaPrefix(stream);
  return { prefix, after: `${prefix}poster-`, before: `${prefix}poster.` };
};

/** Preview thumbnails of a segment, or of a piece of it. `digest` as in `renditionSegmentKey`. */
export const thumbnailsKey = (
  stream: StreamIdentity,
  run: number,
  number: number,
  digest: string,
): string => `${mediaPrefix(stream)}thumbnails/${run}-${padded(number)}-${digest.slice(0, 12)}.jpg`;

/** A picture of one frame, made when it was first asked for. */
export const pictureKey = (
  stream: StreamIdentity,
  { run, number }: Readonly<{ run: number; number: number }>,
  frameTicks: number,
  widthPx: number,
): string => `${mediaPrefix(stream)}pictures/${run}-${padded(number)}-${frameTicks}-${widthPx}.jpg`;

/** Of audio, for an entry from before the rendition began. */
export const silenceKey = (stream: StreamIdentity, rendition: string, sequence: number): string =>
  `${mediaPrefix(stream)}${rendition}/silence/${String(sequence).padStart(10, '0')}.m4s`;

/** Init segments are named by their content: the same settings give the same object. */
export const renditionInitKey = (
  stream: StreamIdentity,
  rendition: string,
  digest: string,
): string => `${mediaPrefix(stream)}${rendition}/init-${digest.slice(0, 24)}.mp4`;

/**
 * Names a recording as it is with so many entries and late arrivals, this version of its captions, and after so
 * many changes by retention. The first number is that of the playlists' form.
 */
export const recordingVersion = ({
  nextSequence,
  lateArrivals,
  captions,
  kept,
}: Readonly<{
  nextSequence: number;
  lateArrivals: number;
  captions?: Readonly<{ version: number }> | undefined;
  kept?: Readonly<{ version: number }> | undefined;
}>): string => {
  const ofCaptions = captions ? `-${captions.version}` : '';
  return `2-${nextSequence}-${lateArrivals}${ofCaptions}${kept?.version ? `-k${kept.version}` : ''}`;
};

/** Of all long recordings of a stream. */
export const recordingPrefix = (stream: StreamIdentity): string =>
  `${mediaPrefix(stream)}recording/`;

/** Of a long recording; `list` as in `listsOf`, whose names have no ending but that of the thumbnails' index. */
export const recordingPlaylistKey = (
  stream: StreamIdentity,
  list: string,
  version: string,
): string =>
  `${recordingPrefix(stream)}${version}/${list.endsWith('.vtt') ? list : `${list}.m3u8`}`;

/** Of a long recording, for DASH. */
export const recordingManifestKey = (stream: StreamIdentity, version: string): string =>
  `${recordingPrefix(stream)}${version}/manifest.mpd`;

export const compressedKey = (key: string): string => `${key}.gz`;

export const savedFilesPrefix = (stream: StreamIdentity): string => `${mediaPrefix(stream)}saved/`;

/** A file that viewers save under its name (`savedNameOf`). `digest`: of all that it depends on. */
export const savedFileKey = (stream: StreamIdentity, digest: string, name: string): string =>
  `${savedFilesPrefix(stream)}${digest.slice(0, 24)}/${name}`;

/** Folders of files that are made of single segments, beside those of renditions: their names begin with the segment's. */
const SEGMENT_FILES = ['files', 'pictures', 'thumbnails'] as const;

const segmentName = (run: number, number: number): string => `${run}-${padded(number)}`;

/** The segment that a file in one of these folders is of; undefined: of none, as an init segment. */
export function placeOfSegmentFile(
  name: string,
): Readonly<{ run: number; number: number }> | undefined {
  const [, run, number] = name.match(/^(\d{1,15})-(\d{1,15})-[^/]*$/) ?? [];
  return run === undefined ? undefined : { run: Number(run), number: Number(number) };
}

type KeysBetween = Readonly<{ prefix: string; after: string; before: string }>;

/**
 * Where the files of a run's segments lie, from one number up to another, which does not belong to it: also those
 * that no record names, as of an attempt that was killed.
 */
export const segmentFilesBetween = (
  stream: StreamIdentity,
  renditions: readonly string[],
  run: number,
  from: number,
  to: number,
): readonly KeysBetween[] =>
  [...SEGMENT_FILES, ...renditions].map((folder) => {
    const prefix = `${mediaPrefix(stream)}${folder}/`;
    const end = Number.isFinite(to) ? segmentName(run, to) : `${run}-~`;
    return { prefix, after: `${prefix}${segmentName(run, from)}`, before: `${prefix}${end}` };
  });

/**
 * A segment as a file of its own, made when it was first asked for. `neighbours`: whether sound of the
 * entries before and behind it is in it, as in `11`; the newest has nothing behind it yet.
 */
export const segmentFileKey = (
  stream: StreamIdentity,
  { run, number, startTicks }: Readonly<{ run: number; number: number; startTicks: number }>,
  { video, audio, neighbours }: Readonly<{ video: string; audio: string; neighbours: string }>,
  format: string,
): string => {
  const segment = `${segmentName(run, number)}-${startTicks}`;
  return `${mediaPrefix(stream)}files/${segment}-${video}-${audio}-${neighbours}.${format}`;
};

/** A large set of cues as JSON. */
export const captionsKey = (stream: StreamIdentity, digest: string): string =>
  `${sourcePrefix(stream)}captions/${digest.slice(0, 32)}.json`;

/** What a segment of captions is printed of. A late arrival has no sequence. */
export type CaptionSegmentName = Readonly<{
  entry: Readonly<{
    sequence?: number | undefined;
    run: number;
    number: number;
    startTicks: number;
  }>;
  /** Version of the captions, and the one that the entry before was listed with. */
  version: number;
  since: number;
  /** The entry's period is over: cues end with it. */
  isCut?: boolean;
}>;

/** WebVTT as text for HLS, in fragments of ISO BMFF for DASH. */
export type CaptionSegmentFormat = 'vtt' | 'm4s';

/**
 * Address of a segment of captions, which is printed when it is asked for: as no key is used twice, it says
 * what it is printed of.
 */
export function captionSegmentKey(
  { videoId, uid }: StreamIdentity,
  track: string,
  { entry, version, since, isCut = false }: CaptionSegmentName,
  format: CaptionSegmentFormat = 'vtt',
): string {
  const { sequence, run, number, startTicks } = entry;
  const place = sequence === undefined ? `late.${run}.${number}.${startTicks}` : String(sequence);
  const versions = `${since}-${version}${isCut ? '-cut' : ''}`;
  return `viewstream/captions/${videoId}/${track}/${uid}-${place}-${versions}.${format}`;
}

/** The last part of the address of what goes before all segments of a track, which is the same for all tracks. */
export const CAPTION_INIT_NAME = 'init.mp4';

export const captionInitKey = ({ videoId }: StreamIdentity, track: string): string =>
  `viewstream/captions/${videoId}/${track}/${CAPTION_INIT_NAME}`;

/** The last part of the address of a segment; undefined for any other. */
export function parseCaptionSegmentName(
  name: string,
): (CaptionSegmentName & Readonly<{ uid: string; format: CaptionSegmentFormat }>) | undefined {
  const match = name.match(
    /^(\w+)-(?:(\d{1,15})|late\.(\d{1,15})\.(\d{1,15})\.(\d{1,15}))-(\d{1,15})-(\d{1,15})(-cut)?\.(vtt|m4s)$/,
  );
  if (!match) return undefined;
  const [, uid = '', sequence, run, number, startTicks, since, version, cut, format] = match;
  const place = { run: Number(run), number: Number(number), startTicks: Number(startTicks) };
  const entry = sequence === undefined ? place : { ...place, sequence: Number(sequence) };
  return {
    ...{ uid, entry, since: Number(since), version: Number(version) },
    ...(cut && { isCut: true }),
    format: format === 'm4s' ? 'm4s' : 'vtt',
  };
}
