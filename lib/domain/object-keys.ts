/** Names of stored objects. Made here and nowhere else; a name is never used twice for other bytes. */

/** A stream's id may be used again after it was deleted; its `uid` is not. */
export type StreamIdentity = Readonly<{ videoId: string; uid: string }>;

const padded = (number: number): string => String(number).padStart(10, '0');

export const sourcePrefix = (stream: StreamIdentity): string =>
  `source/${stream.videoId}/${stream.uid}/`;

export const mediaPrefix = (stream: StreamIdentity): string =>
  `media/${stream.videoId}/${stream.uid}/`;

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

/** The stream and upload of such a key; undefined for any other key. */
export function parsePresignedKey(
  key: string,
): (StreamIdentity & { presignId: string }) | undefined {
  const [folder, videoId, uid, granted, file, ...rest] = key.split('/');
  if (folder !== 'source' || granted !== 'granted' || rest.length > 0) return undefined;
  const presignId = file?.match(/^([0-9a-f]+)\.bin$/)?.[1];
  return videoId && uid && presignId ? { videoId, uid, presignId } : undefined;
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
 * Names a recording as it is with so many entries and late arrivals, after so many changes by retention. The
 * first number is that of the playlists' form.
 */
export const recordingVersion = ({
  nextSequence,
  lateArrivals,
  kept,
}: Readonly<{
  nextSequence: number;
  lateArrivals: number;
  kept?: Readonly<{ version: number }> | undefined;
}>): string => `1-${nextSequence}-${lateArrivals}${kept?.version ? `-${kept.version}` : ''}`;

/** Of all long recordings of a stream. */
export const recordingPrefix = (stream: StreamIdentity): string =>
  `${mediaPrefix(stream)}recording/`;

/** Of a long recording. */
export const recordingPlaylistKey = (
  stream: StreamIdentity,
  rendition: string,
  version: string,
): string => `${recordingPrefix(stream)}${version}/${rendition}.m3u8`;

export const compressedKey = (key: string): string => `${key}.gz`;

/** Folders of files that are made of single segments, as viewers ask for them: their names begin with the segment's. */
const SEGMENT_FILES = ['joined'] as const;

const segmentName = (run: number, number: number): string => `${run}-${padded(number)}`;

type KeysBetween = Readonly<{ prefix: string; after: string; before: string }>;

/** Where the files of a run's segments lie, from one number up to another, which does not belong to it. */
export const segmentFilesBetween = (
  stream: StreamIdentity,
  run: number,
  from: number,
  to: number,
): readonly KeysBetween[] =>
  SEGMENT_FILES.map((folder) => {
    const prefix = `${mediaPrefix(stream)}${folder}/`;
    const end = Number.isFinite(to) ? segmentName(run, to) : `${run}-~`;
    return { prefix, after: `${prefix}${segmentName(run, from)}`, before: `${prefix}${end}` };
  });

/** A segment joined from its renditions into one file, made when it was first asked for. */
export const remuxedKey = (
  stream: StreamIdentity,
  { run, number, startTicks }: Readonly<{ run: number; number: number; startTicks: number }>,
  resolution: string,
  language: string,
  format: string,
): string =>
  `${mediaPrefix(stream)}joined/${segmentName(run, number)}-${startTicks}-${resolution}-${language}.${format}`;
