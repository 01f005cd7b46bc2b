/** One segment of a stream as a file of its own: found by its moment, joined from its renditions. */

import { DomainError } from '../../domain/errors.ts';
import { DOWNLOAD_FORMATS, type DownloadFormat, MEDIA_FORMATS } from '../../domain/media-format.ts';
import { remuxedKey, silenceKey } from '../../domain/object-keys.ts';
import {
  chooseAudio,
  chooseVideo,
  pieceLister,
  presentationOf,
} from '../../domain/presentation.ts';
import type { RecordedEntry } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { type EntryRendition, isGap, type TimelineState } from '../../domain/timeline.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { expired } from './expired.ts';
import { entryAt, parseTimestamp } from './moments.ts';

/** Joining takes memory several times its size, and viewers need no key. */
const MAX_SOURCE_BYTES = 64_000_000;

export type Moment = Readonly<{ stream: Stream; state: TimelineState; entry: RecordedEntry }>;

export function parseFormat(text = 'mp4'): DownloadFormat {
  const format = DOWNLOAD_FORMATS.find((name) => name === text);
  if (format) return format;
  throw new DomainError(
    'unsupported_format',
    `Segments are not made in the format "${text}".`,
    `Ask for format=${DOWNLOAD_FORMATS.join(' or format=')}.`,
  );
}

/**
 * The segment at a timestamp: seconds from the start of the stream, or an ISO 8601 instant; left out:
 * the newest. Throws `stream_not_found`, `bad_request`, `expired` or `moment_not_found`.
 */
export async function findMoment(
  deps: Deps,
  videoId: string,
  timestamp: string | undefined,
): Promise<Moment> {
  const { records } = deps;
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await records.timeline(stream);
  const length = state.nextSequence;
  const entry =
    timestamp === undefined
      ? await newestEntry(records, stream, state)
      : await entryAt(deps, stream, state, parseTimestamp(timestamp));
  if (entry) return { stream, state, entry };
  if (timestamp === undefined && state.kept) throw expired(stream, state.kept);
  throw new DomainError(
    'moment_not_found',
    `Stream "${videoId}" has nothing at ${timestamp ?? 'its end'}.`,
    length === 0
      ? 'It has not started.'
      : `It has ${ticksToSeconds(state.endOffsetTicks).toFixed(3)} s, from ${new Date(state.startedAtMs ?? 0).toISOString()} on.`,
  );
}

async function newestEntry(
  records: Deps['records'],
  stream: Stream,
  { nextSequence, kept }: TimelineState,
): Promise<RecordedEntry | undefined> {
  const hasExpired = kept !== undefined && kept.floorSequence >= nextSequence;
  return hasExpired ? undefined : records.entry(stream, nextSequence - 1);
}

export type SegmentChoice = Readonly<{
  format: DownloadFormat;
  /** A rung's name, or `source`; left out: the best. */
  resolution?: string | undefined;
  /** BCP 47; left out: the default. */
  language?: string | undefined;
}>;

/**
 * Key of the segment's file; it is made when it is first asked for. It holds what playlists list at
 * the entry for the renditions chosen. Throws `rendition_not_found`, and `moment_not_found` for a gap.
 */
export async function joinSegment(
  deps: Deps,
  { stream, state, entry }: Moment,
  { format, resolution, language }: SegmentChoice,
): Promise<string> {
  if (isGap(entry)) {
    throw new DomainError(
      'moment_not_found',
      `Segment ${entry.number} never came: there is a gap of ${ticksToSeconds(entry.durationTicks).toFixed(3)} s.`,
      'Ask for a moment before or after it.',
    );
  }
  const presentation = presentationOf(state);
  const listed = (rendition: Readonly<{ name: string }> | undefined) => {
    const keyOf = (name: string, sequence: number) => silenceKey(stream, name, sequence);
    const at = rendition && pieceLister(state, rendition.name, keyOf)(entry);
    return at?.piece && { name: at.rendition, piece: at.piece };
  };
  const fromSource = resolution === 'source';
  const video = fromSource ? undefined : listed(chooseVideo(presentation, resolution));
  const audio = listed(chooseAudio(presentation, language));
  const name = fromSource ? 'source' : (video?.name ?? 'audio');
  const key = remuxedKey(stream, entry, name, audio?.name ?? 'none', format);
  if (await deps.media.head(key)) return key;
  let bytes: Uint8Array;
  if (fromSource) {
    bytes = await deps.remuxing.run('remuxSource', stream.uid, async () => [
      { ...(await readSource(deps, stream, entry)), format },
    ]);
  } else {
    bytes = await deps.remuxing.run('remuxRenditions', stream.uid, async () => [
      {
        ...(video ? { video: await readPiece(deps, video.piece) } : {}),
        audio: audio ? [await readPiece(deps, audio.piece)] : [],
        format,
      },
    ]);
  }
  await deps.media.put(key, bytes, MEDIA_FORMATS[format].contentType);
  return key;
}

async function readPiece(
  deps: Deps,
  piece: EntryRendition,
): Promise<{ init: Uint8Array; media: Uint8Array }> {
  const [init, media] = await Promise.all([
    deps.media.get(piece.initKey),
    deps.media.get(piece.key),
  ]);
  if (init && media) return { init, media };
  throw new Error(`The objects of a rendition are not there: ${piece.key}`);
}

async function readSource(
  deps: Deps,
  stream: Stream,
  entry: RecordedEntry,
): Promise<{ bytes: Uint8Array; init?: Uint8Array }> {
  const { records } = deps;
  const segment = await records.findSegment(stream, entry.run, entry.number);
  if (segment && segment.sizeBytes > MAX_SOURCE_BYTES) {
    throw new DomainError(
      'too_large',
      `The source of segment ${entry.number} has ${segment.sizeBytes} bytes; up to ${MAX_SOURCE_BYTES} are made into a file.`,
      'Ask for one of the renditions (resolution=720p).',
    );
  }
  const bytes = segment && (await deps.media.get(segment.sourceKey));
  if (!segment || !bytes) {
    throw new DomainError(
      'moment_not_found',
      `The source of segment ${entry.number} is not kept.`,
      'Ask for one of the renditions.',
    );
  }
  const init = segment.initKey === undefined ? undefined : await deps.media.get(segment.initKey);
  return { bytes, ...(init ? { init } : {}) };
}
