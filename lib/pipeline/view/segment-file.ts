/** One segment of a stream as a file of its own: packaged from its renditions, or made by a job. */

import type { DownloadFormat } from '../../domain/media-format.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { segmentFileKey, silenceKey } from '../../domain/object-keys.ts';
import {
  chooseAudio,
  chooseVideo,
  pieceLister,
  presentationOf,
} from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import type { EntryRendition, TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';
import { type RequestedFile, requestFile } from '../jobs/file-request.ts';
import { type WebmJob, webm } from '../jobs/webm.ts';
import { readAudio, readPiece, type SoundKeys } from './read-pieces.ts';
import type { Moment } from './segment-moment.ts';
import { findSource, readSource } from './segment-source.ts';

export type SegmentChoice = Readonly<{
  format: DownloadFormat;
  /** A rung's name, a size, or `source`; left out: the best. */
  resolution?: string | undefined;
  /** BCP 47; left out: the default. */
  language?: string | undefined;
}>;

export type SegmentFile = Readonly<{
  /** Where it is, or will be. */
  key: string;
  /** The rung that its picture is of, or `source`; undefined without a picture. */
  resolution: string | undefined;
  /** BCP 47, or `und`; undefined without sound. */
  language: string | undefined;
  /** It is there, or no job is needed to make it. */
  isAtHand(): Promise<boolean>;
  /** Makes it unless it is there, or asks for the job that does. Throws what `requestFile` throws. */
  request(): Promise<RequestedFile>;
}>;

/**
 * The file that holds what playlists list at the entry for the renditions chosen. Throws
 * `rendition_not_found`, `moment_not_found`, `too_large` and `unsupported_format`.
 */
export async function chooseSegmentFile(
  deps: Deps,
  moment: Moment,
  choice: SegmentChoice,
): Promise<SegmentFile> {
  const { stream, state, entry } = moment;
  const presentation = presentationOf(state);
  const { resolution, language, format } = choice;
  const chosenAudio = chooseAudio(presentation, language);
  if (resolution === 'source') {
    const only = language === undefined ? undefined : chosenAudio?.name;
    const source = await findSource(deps, moment, format, only);
    const tracks = { video: 'source', audio: only ?? 'all', neighbours: '00' };
    const key = segmentFileKey(stream, entry, tracks, format);
    const make = () =>
      deps.remuxing.run('remuxSource', stream.uid, async () => {
        const { audio } = source;
        return [{ ...(await readSource(deps, source)), ...(audio && { audio }), format }];
      });
    return {
      ...{ key, resolution, language: only === undefined ? undefined : chosenAudio?.language },
      isAtHand: async () => true,
      request: () => makeOnce(deps, key, format, make),
    };
  }
  const chosenVideo = chooseVideo(presentation, resolution);
  const video = chosenVideo && listedPiece(stream, state, chosenVideo.name, entry);
  const audio = chosenAudio && listedSound(moment, chosenAudio.name, chosenAudio.language);
  const tracks = {
    video: video?.name ?? 'none',
    audio: audio?.name ?? 'none',
    neighbours: audio?.neighbours ?? '00',
  };
  const key = segmentFileKey(stream, entry, tracks, format);
  const bounds = {
    startTicks: entry.startTicks,
    endTicks: entry.startTicks + entry.durationTicks,
  };
  const file = { key, resolution: video?.name, language: audio?.language };
  if (format === 'webm') {
    const job: WebmJob = {
      ...{ videoId: stream.videoId, uid: stream.uid, key, ...bounds },
      ...(video && { picture: pictureOf(state, video) }),
      ...(audio && { sound: audio }),
    };
    return {
      ...file,
      isAtHand: async () => (await deps.media.head(key)) !== undefined,
      request: () => requestFile(deps, stream, webm, job),
    };
  }
  const make = () =>
    deps.remuxing.run('remuxRenditions', stream.uid, async () => {
      const [read, pieces] = await Promise.all([
        video && readPiece(deps, video.piece),
        audio ? readAudio(deps, audio) : undefined,
      ]);
      return [{ video: read, audio: pieces ? [pieces] : [], bounds, format }];
    });
  return {
    ...file,
    isAtHand: async () => true,
    request: () => makeOnce(deps, key, format, make),
  };
}

/** Of timelines from before it was recorded. */
const UNKNOWN_MAXRATE_BPS = 2_500_000;

function pictureOf({ renditions }: TimelineState, { name, piece }: NamedPiece): WebmJob['picture'] {
  const info = renditions[name]?.info;
  const { initKey, key } = piece;
  const maxrateBps = info?.kind === 'video' ? info.maxrateBps : undefined;
  return { initKey, key, maxrateBps: maxrateBps ?? UNKNOWN_MAXRATE_BPS };
}

type NamedPiece = Readonly<{ name: string; piece: EntryRendition }>;

async function makeOnce(
  { media }: Deps,
  key: string,
  format: DownloadFormat,
  make: () => Promise<Uint8Array>,
): Promise<RequestedFile> {
  if (!(await media.head(key))) {
    await media.put(key, await make(), MEDIA_FORMATS[format].contentType);
  }
  return { type: 'ready', key };
}

/** Of a rendition, or of the one that stands in for it; undefined where it lists a gap. */
function listedPiece(
  stream: Stream,
  state: TimelineState,
  rendition: string,
  entry: RecordedEntry,
): NamedPiece | undefined {
  const keyOf = (name: string, sequence: number) => silenceKey(stream, name, sequence);
  const { rendition: name, piece } = pieceLister(state, rendition, keyOf)(entry);
  return piece && { name, piece };
}

/** `neighbours`: as in the file's key. */
type ListedSound = SoundKeys & Readonly<{ name: string; neighbours: string }>;

function listedSound(
  { stream, state, entry, before, after }: Moment,
  rendition: string,
  language = 'und',
): ListedSound | undefined {
  const own = listedPiece(stream, state, rendition, entry);
  if (!own) return undefined;
  const { name, piece } = own;
  const beside = [before, after].map((one) => {
    const listed = one && listedPiece(stream, state, rendition, one);
    return listed?.piece.initKey === piece.initKey ? listed.piece.key : undefined;
  });
  const [first, last] = beside;
  return {
    ...{ name, language, initKey: piece.initKey },
    keys: [first, piece.key, last].filter((key) => key !== undefined),
    neighbours: beside.map((key) => (key === undefined ? '0' : '1')).join(''),
  };
}
