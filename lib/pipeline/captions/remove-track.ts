/** Removes a track of captions. */

import { trackNotFound } from '../../domain/captions/caption.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import { sendPublish } from '../messages.ts';
import { cueSetNames, deleteCueSets } from '../records/caption-records.ts';

const TRACK = /^[a-z0-9-]{1,32}$/;
/** Of one write. */
const AT_ONCE = 100;

/** Removed: also when it was before. Throws `captions_not_found`. */
export async function removeTrack(deps: Deps, stream: Stream, track: string): Promise<void> {
  const { captions } = (await deps.records.timeline(stream)).value;
  const known = Object.keys(captions?.tracks ?? {});
  if (!TRACK.test(track)) throw trackNotFound(stream.videoId, track.slice(0, 40), known);
  let isKnown = captions?.tracks[track] !== undefined;
  for (;;) {
    const names = await cueSetNames(deps, stream, track, AT_ONCE);
    if (names.length === 0) break;
    isKnown = true;
    await deleteCueSets(deps, stream, names);
  }
  if (!isKnown) throw trackNotFound(stream.videoId, track, known);
  const { videoId, uid } = stream;
  await sendPublish(deps, { videoId, uid, captions: [{ track, set: '' }] });
}
