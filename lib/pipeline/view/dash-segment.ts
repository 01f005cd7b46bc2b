/** The object behind the address of a segment in an MPD: a rendition's piece, found by period and time. */

import { DomainError } from '../../domain/errors.ts';
import { silenceKey } from '../../domain/object-keys.ts';
import { pieceLister } from '../../domain/presentation.ts';
import { separate } from '../../domain/recording.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import type { EntryRendition } from '../../domain/timeline.ts';
import { getStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { findByMediaTime } from '../records/timeline-search.ts';

/** Audio does not start where its entry does, but less than a second from there. */
const REACH = 4;

type Timed = Readonly<{ run: number; startTicks: number }>;

/** As the address says them: run and `discontinuities` of the period's entries, and where the piece starts. */
export type SegmentAddress = Readonly<{
  videoId: string;
  rendition: string;
  run: number;
  discontinuities: number;
  startTicks: number;
  /** Of the recording with so many pieces that came late in the place of silence; undefined: of the live view. */
  latePieces?: number | undefined;
}>;

/**
 * Key of the object; the same for ever. Throws `stream_not_found`, `rendition_not_found`, and
 * `moment_not_found` if no piece starts there.
 */
export async function findSegment(
  deps: Deps,
  { videoId, rendition, run, discontinuities, startTicks, latePieces }: SegmentAddress,
): Promise<string> {
  const { records } = deps;
  const { value: stream } = await getStream(deps, videoId);
  const { value: state } = await records.timeline(stream);
  if (!Object.hasOwn(state.renditions, rendition)) {
    throw new DomainError(
      'rendition_not_found',
      `Stream "${videoId}" has no rendition "${rendition}".`,
      `It has ${Object.keys(state.renditions).join(', ')}.`,
    );
  }
  const isThere = (piece: EntryRendition | undefined, entry: Timed): piece is EntryRendition =>
    piece !== undefined &&
    entry.run === run &&
    (piece.startTicks ?? entry.startTicks) === startTicks;
  const time = { discontinuities, startTicks };
  const before = await findByMediaTime(records, stream, state.nextSequence, time);
  const sequence = before?.sequence ?? 0;
  const listPiece = pieceLister(state, rendition, (...at) => silenceKey(stream, ...at));
  const range = [Math.max(0, sequence - REACH), sequence + REACH] as const;
  const near = await records.entries(stream, ...range);
  const later = latePieces ? await records.latePieces(stream, ...range) : undefined;
  for (const entry of near) {
    const renditions = { ...entry.renditions, ...later?.get(entry.sequence) };
    const { rendition: source, piece } = listPiece({ ...entry, renditions });
    const isOwn = source === rendition && entry.discontinuities === discontinuities;
    if (isOwn && isThere(piece, entry)) return piece.key;
  }
  const late = state.lateArrivals > 0 ? await records.lateArrivals(stream) : [];
  const firstNumber = before?.run === run ? before.number : 0;
  const key = late
    .flatMap(separate)
    .filter((one) => one.number >= firstNumber && isThere(one.renditions[rendition], one))
    .toSorted((a, b) => a.number - b.number)[0]?.renditions[rendition]?.key;
  if (key !== undefined) return key;
  throw new DomainError(
    'moment_not_found',
    `"${rendition}" of "${videoId}" has no segment that starts at ${ticksToSeconds(startTicks).toFixed(3)} s of its period ${run}-${discontinuities}.`,
    `Use the addresses of the MPD: /viewstream/metadata/${videoId}.mpd.`,
  );
}
