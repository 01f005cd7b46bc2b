/** Closed captions in the video as cues of an entry. */

import type { CaptionedEntry, PlacedCue } from '../../domain/caption-placement.ts';
import type { Stream } from '../../domain/stream.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import type { Deps } from '../deps.ts';
import { closedCaptionsUpTo } from '../records/closed-caption-records.ts';

/**
 * How far back the decoder begins: a caption is sent before it is shown, and stays until it is erased. So each
 * segment follows from records that never change, and no state goes from one to the next.
 */
const LOOK_BACK_TICKS = 30 * TICKS_PER_SECOND;
const MAX_SEGMENTS_BACK = 32;
/** What one field carries in that time at 60 frames a second, twice. */
const MAX_PAIRS = 8000;

/**
 * What a channel shows during the entry, cut to it: a caption that goes on is another cue in the next
 * entry, which begins where this one ends.
 */
export async function closedCaptionsOf(
  deps: Pick<Deps, 'store'>,
  stream: Stream,
  { run, number, startTicks, durationTicks }: CaptionedEntry & Readonly<{ number: number }>,
  channel: string,
): Promise<PlacedCue[]> {
  const endTicks = startTicks + durationTicks;
  const [{ decodeClosedCaptions }, found] = await Promise.all([
    import('../../media/captions/decode-608.ts'),
    closedCaptionsUpTo(deps, stream, run, number, MAX_SEGMENTS_BACK),
  ]);
  const near = found
    .filter(({ ticks }) => ticks >= startTicks - LOOK_BACK_TICKS && ticks < endTicks)
    .toSorted((a, b) => a.ticks - b.ticks)
    .slice(-MAX_PAIRS);
  const cues = decodeClosedCaptions(near, channel, startTicks, endTicks);
  return cues.map((cue, index) => ({
    ...{ ...cue, key: `cc${run}-${startTicks}-${index}`, header: undefined },
  }));
}
