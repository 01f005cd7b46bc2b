/** A picture of a moment of a stream: the very frame that is on the screen then. */

import { DomainError } from '../../domain/errors.ts';
import { pictureKey, silenceKey } from '../../domain/object-keys.ts';
import {
  frameAt,
  parsePictureWidth,
  pieceIsGone,
  renditionForPicture,
} from '../../domain/pictures/picture.ts';
import { pieceLister, presentationOf } from '../../domain/presentation.ts';
import type { Stream } from '../../domain/stream.ts';
import type { EntryRendition } from '../../domain/timeline.ts';
import { parseCmaf } from '../../media/mux/cmaf.ts';
import type { Deps } from '../deps.ts';
import type { PictureJob } from '../jobs/picture.ts';
import { positionIn } from './moments.ts';
import { findMoment, type Moment } from './segment-files/segment-moment.ts';

/**
 * The job that makes it. `timestamp` as of segments; left out: the newest frame. Throws what `findMoment` does,
 * `bad_request` for another width, and `rendition_not_found` of a stream without video.
 */
export async function findPicture(
  deps: Deps,
  videoId: string,
  timestamp: string | undefined,
  width: string | undefined,
): Promise<Readonly<{ stream: Stream; job: PictureJob }>> {
  const wantedPx = parsePictureWidth(width);
  const moment = await findMoment(deps, videoId, timestamp);
  const { stream, state, entry } = moment;
  const presentation = presentationOf(state);
  const rendition = renditionForPicture(presentation, wantedPx);
  const smallest = presentation.video.at(-1);
  if (!rendition || !smallest) throw noPicture(moment);
  const pieceOf = (name: string): EntryRendition => {
    const keyOf = (...at: [string, number]) => silenceKey(stream, ...at);
    const { piece } = pieceLister(state, name, keyOf)(entry);
    if (!piece) throw noPicture(moment);
    return piece;
  };
  // All rungs have the same frames: the times are read from the one that has the fewest bytes.
  const times = await frameTimes(deps, pieceOf(smallest.name));
  const atTicks =
    timestamp === undefined
      ? Number.POSITIVE_INFINITY
      : entry.startTicks + positionIn(entry, timestamp);
  const frame = frameAt(times, atTicks);
  const widthPx = Math.min(wantedPx, rendition.widthPx);
  const { key: pieceKey, initKey } = pieceOf(rendition.name);
  const key = pictureKey(stream, entry, times[frame] ?? 0, widthPx);
  return { stream, job: { videoId, uid: stream.uid, key, pieceKey, initKey, frame, widthPx } };
}

/** In the order in which they are shown. They stand before the first frame, so that no more is read. */
async function frameTimes(
  { media }: Pick<Deps, 'media'>,
  { key, keyframeBytes }: EntryRendition,
): Promise<number[]> {
  const range = keyframeBytes && { start: 0, endInclusive: keyframeBytes - 1 };
  const bytes = await (range ? media.get(key, range) : media.get(key));
  if (!bytes) throw pieceIsGone();
  const { samples } = parseCmaf(bytes);
  return samples.map(({ ptsTicks }) => ptsTicks).sort((a, b) => a - b);
}

const noPicture = ({ stream }: Moment): DomainError =>
  new DomainError(
    'rendition_not_found',
    `Stream "${stream.videoId}" has no picture.`,
    'It has sound alone.',
  );
