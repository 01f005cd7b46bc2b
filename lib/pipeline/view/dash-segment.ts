/** What is behind the address of a segment in an MPD: an object, or a segment of captions, found by period and time. */

import { captionVersionsAt } from '../../domain/captions/caption.ts';
import type { SegmentKind, SegmentPlace } from '../../domain/dash-addresses.ts';
import { DomainError } from '../../domain/errors.ts';
import { captionSegmentKey, silenceKey } from '../../domain/object-keys.ts';
import { pieceLister } from '../../domain/presentation.ts';
import { type RecordedEntry, separate } from '../../domain/recording.ts';
import type { Stream } from '../../domain/stream.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { isGap, type TimelineEntry, type TimelineState } from '../../domain/timeline.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { findByMediaTime } from '../records/timeline-search.ts';

/** Audio does not start where its entry does, but less than a second from there. */
const REACH = 4;

/** As the address says them; `startTicks`: where the piece starts. */
export type SegmentAddress = SegmentPlace &
  Readonly<{ videoId: string; rendition: string; kind: SegmentKind; startTicks: number }>;

/** Of the timeline, or what came late for it. */
type Candidate = Omit<RecordedEntry, 'offsetTicks' | 'discontinuity' | 'discontinuities'> &
  Pick<TimelineEntry, 'captionVersions'>;

/**
 * Its key; the same for ever. Throws `stream_not_found`, `rendition_not_found`, and `moment_not_found` if nothing
 * starts there.
 */
export async function findSegment(deps: Deps, address: SegmentAddress): Promise<string> {
  const { videoId, uid, rendition, run, discontinuities, startTicks, latePieces } = address;
  const { records } = deps;
  const { value: stream } = await getStream(deps, videoId);
  if (uid !== stream.uid) throw notFound(address);
  const { value: state } = await records.timeline(stream);
  if (address.kind === 'media' && !Object.hasOwn(state.renditions, rendition)) {
    throw new DomainError(
      'rendition_not_found',
      `Stream "${videoId}" has no rendition "${rendition}".`,
      `It has ${Object.keys(state.renditions).join(', ')}.`,
    );
  }
  const keyIn = keyFinder(stream, state, address);
  const time = { discontinuities, startTicks };
  const before = await findByMediaTime(records, stream, state.nextSequence, time);
  const sequence = before?.sequence ?? 0;
  const range = [Math.max(0, sequence - REACH), sequence + REACH] as const;
  const near = await records.entries(stream, ...range);
  const later = latePieces ? await records.latePieces(stream, ...range) : undefined;
  for (const entry of near) {
    if (entry.discontinuities !== discontinuities) continue;
    const renditions = { ...entry.renditions, ...later?.get(entry.sequence) };
    const key = keyIn({ ...entry, renditions });
    if (key !== undefined) return key;
  }
  const late = state.lateArrivals > 0 ? await records.lateArrivals(stream) : [];
  const firstNumber = before?.run === run ? before.number : 0;
  const keys = late
    .flatMap(separate)
    .filter(({ number }) => number >= firstNumber)
    .toSorted((a, b) => a.number - b.number)
    .flatMap((one) => keyIn(one) ?? []);
  if (keys[0] !== undefined) return keys[0];
  throw notFound(address);
}

/** The key of what an entry has at the address; undefined: it has nothing there. */
function keyFinder(
  stream: Stream,
  state: TimelineState,
  { rendition, kind, run, startTicks, captions }: SegmentAddress,
): (entry: Candidate) => string | undefined {
  const listPiece = pieceLister(state, rendition, (...at) => silenceKey(stream, ...at));
  return (entry) => {
    if (entry.run !== run) return undefined;
    if (kind === 'media') {
      const { rendition: source, piece } = listPiece(entry);
      const isThere =
        source === rendition && (piece?.startTicks ?? entry.startTicks) === startTicks;
      return isThere ? piece?.key : undefined;
    }
    if (entry.startTicks !== startTicks) return undefined;
    if (kind === 'thumbnails') return entry.thumbnails?.key;
    if (!captions || isGap(entry)) return undefined;
    const printedOf = { entry, ...captionVersionsAt(entry, captions) };
    return captionSegmentKey(stream, rendition, printedOf, 'm4s');
  };
}

const notFound = ({ videoId, rendition, run, discontinuities, startTicks }: SegmentAddress) =>
  new DomainError(
    'moment_not_found',
    `"${rendition}" of "${videoId}" has no segment that starts at ${ticksToSeconds(startTicks).toFixed(3)} s of its period ${run}-${discontinuities}.`,
    `Use the addresses of the MPD: /viewstream/metadata/${videoId}.mpd.`,
  );
