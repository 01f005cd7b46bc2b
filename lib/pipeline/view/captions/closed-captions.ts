/** Closed captions in the video as cues of an entry. */

import type { CaptionedEntry, PlacedCue } from '../../../domain/captions/caption-placement.ts';
import { type CaptionPair, fieldOf, settledAt } from '../../../domain/captions/closed-captions.ts';
import type { Stream } from '../../../domain/stream.ts';
import { TICKS_PER_SECOND } from '../../../domain/ticks.ts';
import type { Deps } from '../../deps.ts';
import { closedCaptionsUpTo, type FoundPairs } from '../../records/closed-caption-records.ts';

/**
 * How far back the decoder begins before it knows what is on the screen: a caption is sent before it is shown. So
 * each segment follows from records that never change, and no state goes from one to the next.
 */
const LOOK_BACK_TICKS = 30 * TICKS_PER_SECOND;
/** A caption stays until it is erased. Segments without any have no records, so these mostly reach far. */
const PAGE = 32;
const MAX_PAGES = 16;
/** What one field carries in four minutes. */
const MAX_PAIRS = 16_000;

/**
 * What a channel shows during the entry, cut to it: a caption that goes on is another cue in the next
 * entry, which begins where this one ends.
 */
export async function closedCaptionsOf(
  deps: Pick<Deps, 'store'>,
  stream: Stream,
  entry: CaptionedEntry & Readonly<{ number: number }>,
  channel: string,
): Promise<PlacedCue[]> {
  const { run, startTicks, durationTicks } = entry;
  const endTicks = startTicks + durationTicks;
  const [{ decodeClosedCaptions }, pairs] = await Promise.all([
    import('../../../media/captions/decode-608.ts'),
    pairsUpTo(deps, stream, entry, channel),
  ]);
  const cues = decodeClosedCaptions(pairs, channel, startTicks, endTicks);
  return cues.map((cue, index) => ({
    ...{ ...cue, key: `cc${run}-${startTicks}-${index}`, header: undefined },
  }));
}

/** Those of a channel's field from which follows what it shows in the entry. */
async function pairsUpTo(
  deps: Pick<Deps, 'store'>,
  stream: Stream,
  { run, number, startTicks, durationTicks }: CaptionedEntry & Readonly<{ number: number }>,
  channel: string,
): Promise<readonly CaptionPair[]> {
  const endTicks = startTicks + durationTicks;
  let pairs: readonly CaptionPair[] = [];
  let next: number | undefined = number;
  for (
    let page = 0;
    next !== undefined && page < MAX_PAGES && pairs.length < MAX_PAIRS;
    page += 1
  ) {
    const found: FoundPairs = await closedCaptionsUpTo(deps, stream, run, next, PAGE);
    const own = found.pairs.filter(({ ticks, field }) => {
      return field === fieldOf(channel) && ticks < endTicks;
    });
    pairs = [...own, ...pairs].toSorted((a, b) => a.ticks - b.ticks).slice(-MAX_PAIRS);
    const settled = settledAt(pairs, channel, startTicks);
    const oldest = found.pairs[0]?.ticks ?? endTicks;
    if (settled !== undefined && oldest <= settled - LOOK_BACK_TICKS) {
      return pairs.filter(({ ticks }) => ticks >= settled - LOOK_BACK_TICKS);
    }
    next = found.before;
  }
  return pairs;
}
