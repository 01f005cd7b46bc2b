/** Where a segment ends. MPEG-TS does not say how long its last frame is shown, and other evidence has its faults. Pure. */

import type { VideoFacts } from './segment.ts';
import { secondsToTicks, TICKS_PER_SECOND } from './ticks.ts';

/** Times on the timeline, in ticks. */
export type EndEvidence = Readonly<{
  startTicks: number;
  /** By the container, or by the rate of the frames. */
  endTicks: number;
  /** Neither tells: a single frame, or frames that come as they like. */
  isGuess: boolean;
  /** Pictures that belong to its end may be in the next segment (`mayGoOnInNext`). */
  mayGoOn?: boolean;
  /** Of the segment with the next number. */
  nextStartTicks?: number | undefined;
  /** By the encoder's playlist, or the `duration` of the upload. */
  saidSeconds?: number | undefined;
}>;

/** What rounding and a lost last frame amount to. */
const MAX_CORRECTION_TICKS = TICKS_PER_SECOND / 4;
/** Of a guess: a camera may show a frame for as long. */
const MAX_FRAME_TICKS = 10 * TICKS_PER_SECOND;
/** Rounding in playlists is far less. */
const SAME_TICKS = TICKS_PER_SECOND / 10;

type Opening = Pick<VideoFacts, 'startsClosed' | 'isReordered' | 'isLed'>;

const beginsClosed = ({ startsClosed, isLed }: Opening): boolean => startsClosed && !isLed;

/**
 * Whether pictures that belong to the end of a segment may be in the next one, whose keyframe they lead.
 * The segment itself does not tell, and the first of a run begins closed whatever follows. An encoder of
 * which two in a row begin closed has closed GOPs. `before`: the segment with the number before, of the
 * same run.
 */
export const mayGoOnInNext = (video: Opening | undefined, before?: Opening): boolean =>
  video?.isReordered === true && !(before && beginsClosed(before) && beginsClosed(video));

/**
 * undefined: the evidence says no more than `endTicks`. The next segment's start is exact to the tick; where
 * the encoder says something else, its clock has stepped between the two.
 */
export function segmentEnd(evidence: EndEvidence): number | undefined {
  const { startTicks, endTicks, isGuess, mayGoOn, nextStartTicks, saidSeconds } = evidence;
  const limit = isGuess ? MAX_FRAME_TICKS : MAX_CORRECTION_TICKS;
  const isPlausible = (ticks: number): boolean =>
    ticks > startTicks && Math.abs(ticks - endTicks) <= limit;
  const saidTicks =
    saidSeconds === undefined ? undefined : startTicks + secondsToTicks(saidSeconds);
  const said = saidTicks !== undefined && isPlausible(saidTicks) ? saidTicks : undefined;
  const next =
    nextStartTicks !== undefined && isPlausible(nextStartTicks) ? nextStartTicks : undefined;
  // Encoders count from keyframe to keyframe: pictures that the next one leads (open GOP) are in its segment.
  if (next === undefined && mayGoOn && !isGuess) return undefined;
  if (said === undefined || next === undefined) return next ?? said;
  return Math.abs(next - said) <= SAME_TICKS ? next : said;
}
