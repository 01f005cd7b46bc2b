/** One segment of a stream as a file of its own: found by its moment, joined from its renditions. */

import { DomainError } from '../../domain/errors.ts';
import { fallbacksFor } from '../../domain/fallback.ts';
import { DOWNLOAD_FORMATS, type DownloadFormat, MEDIA_FORMATS } from '../../domain/media-format.ts';
import { remuxedKey } from '../../domain/object-keys.ts';
import type { TimelineHead } from '../../domain/publication.ts';
import type { Stream } from '../../domain/stream.ts';
import { secondsToTicks, ticksToSeconds } from '../../domain/ticks.ts';
import type { EntryRendition, TimelineEntry } from '../../domain/timeline.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { findByInstant, findByOffset } from '../records/timeline-search.ts';

export type Moment = Readonly<{ stream: Stream; head: TimelineHead; entry: TimelineEntry }>;

export function parseFormat(text = 'mp4'): DownloadFormat {
  const format = DOWNLOAD_FORMATS.find((name) => name === text);
  if (format) return format;
  throw new DomainError(
    'unsupported_format',
    `Segments are not made in the format "${text}".`,
    `Ask for format=${DOWNLOAD_FORMATS.join(' or format=')}.`,
  );
}

/** `timestamp`: seconds from the start of the stream, or an ISO 8601 instant; left out: the newest. */
export async function findMoment(
  deps: Deps,
  videoId: string,
  timestamp: string | undefined,
): Promise<Moment> {
  const { records } = deps;
  const { value: stream } = await getStream(deps, videoId);
  const { value: head } = await records.head(stream);
  const length = head.nextSequence;
  const entry =
    timestamp === undefined
      ? await records.entry(stream, length - 1)
      : /^\d+(\.\d+)?$/.test(timestamp)
        ? await findByOffset(records, stream, length, secondsToTicks(Number(timestamp)))
        : await findByInstant(records, stream, length, parseInstant(timestamp));
  if (entry) return { stream, head, entry };
  throw new DomainError(
    'moment_not_found',
    `Stream "${videoId}" has nothing at ${timestamp ?? 'its end'}.`,
    length === 0
      ? 'It has not started.'
      : `It has ${ticksToSeconds(head.endOffsetTicks).toFixed(3)} s, from ${new Date(head.startedAtMs ?? 0).toISOString()} on.`,
  );
}

function parseInstant(text: string): number {
  const instantMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(instantMs)) return instantMs;
  throw new DomainError(
    'bad_request',
    `"${text}" is no moment.`,
    'Send seconds from the start (timestamp=12.5), or an instant (timestamp=2026-01-31T12:00:00Z).',
  );
}

export type SegmentChoice = Readonly<{
  format: DownloadFormat;
  /** A rung's name, or `source`; left out: the best. */
  resolution?: string | undefined;
  /** BCP 47; left out: the first audio track. */
  language?: string | undefined;
}>;

/** Key of the segment's file; it is made when it is first asked for. */
export async function joinSegment(
  deps: Deps,
  { stream, head, entry }: Moment,
  { format, resolution, language }: SegmentChoice,
): Promise<string> {
  const { records } = deps;
  const lateArrivals = await records.findLateArrival(stream, entry.sequence);
  const pieces = lateArrivals?.renditions ?? entry.renditions;
  if (Object.keys(pieces).length === 0) {
    throw new DomainError(
      'moment_not_found',
      `Segment ${entry.number} never came: there is a gap of ${ticksToSeconds(entry.durationTicks).toFixed(3)} s.`,
      'Ask for a moment before or after it.',
    );
  }
  const video = resolution === 'source' ? undefined : pickVideo(head, pieces, resolution);
  const audio = pickAudio(head, pieces, language);
  const name = resolution === 'source' ? 'source' : (video ?? 'audio');
  const key = remuxedKey(stream, entry.sequence, name, audio ?? 'none', format);
  if (await deps.media.head(key)) return key;
  // The muxer is large, and most files are there when they are asked for. It comes beside the pieces.
  const muxer = import('../../media/mux/remux.ts');
  let bytes: Uint8Array;
  if (resolution === 'source') {
    const source = await readSource(deps, stream, entry);
    bytes = await (await muxer).remuxSource({ ...source, format });
  } else {
    const picture = video ? { video: await readPiece(deps, pieces[video]) } : {};
    const sound = audio ? [await readPiece(deps, pieces[audio])] : [];
    bytes = await (await muxer).remuxRenditions({ ...picture, audio: sound, format });
  }
  await deps.media.put(key, bytes, MEDIA_FORMATS[format].contentType);
  return key;
}

type Pieces = Readonly<Record<string, EntryRendition>>;

function pickVideo(
  { renditions }: TimelineHead,
  pieces: Pieces,
  resolution: string | undefined,
): string | undefined {
  const heightOf = (name: string): number => {
    const info = renditions[name]?.info;
    return info?.kind === 'video' ? info.heightPx : 0;
  };
  const there = Object.keys(pieces).filter((name) => heightOf(name) > 0);
  if (resolution === undefined) return there.toSorted((a, b) => heightOf(b) - heightOf(a))[0];
  if (renditions[resolution]?.info.kind === 'video') {
    return [resolution, ...fallbacksFor(resolution, renditions)].find((name) => pieces[name]);
  }
  const names = Object.keys(renditions).filter((name) => heightOf(name) > 0);
  throw new DomainError(
    'rendition_not_found',
    `The stream has no resolution "${resolution}".`,
    `Ask for ${[...names, 'source'].join(', ')}.`,
  );
}

function pickAudio(
  { renditions }: TimelineHead,
  pieces: Pieces,
  language: string | undefined,
): string | undefined {
  const tracks = Object.keys(pieces).filter((name) => renditions[name]?.info.kind === 'audio');
  if (language === undefined) return tracks.sort()[0];
  const speaks = (name: string): boolean => {
    const info = renditions[name]?.info;
    return info?.kind === 'audio' && info.language.split('-')[0] === language.split('-')[0];
  };
  const found = tracks.find(speaks);
  if (found) return found;
  const languages = Object.values(renditions).flatMap(({ info }) =>
    info.kind === 'audio' ? [info.language] : [],
  );
  throw new DomainError(
    'rendition_not_found',
    `The stream has no audio in "${language}".`,
    languages.length > 0 ? `It has ${languages.join(', ')}.` : 'It has no audio.',
  );
}

async function readPiece(
  deps: Deps,
  piece: EntryRendition | undefined,
): Promise<{ init: Uint8Array; media: Uint8Array }> {
  const [init, media] = await Promise.all([
    piece && deps.media.get(piece.initKey),
    piece && deps.media.get(piece.key),
  ]);
  if (init && media) return { init, media };
  throw new Error(`The objects of a rendition are not there: ${piece?.key}`);
}

async function readSource(
  deps: Deps,
  stream: Stream,
  entry: TimelineEntry,
): Promise<{ bytes: Uint8Array; init?: Uint8Array }> {
  const { records } = deps;
  const segment = await records.findSegment(stream, entry.run, entry.number);
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
