/** The timeline of a stream: which segments a viewer may be shown, in order, and where live playlists begin. */

import type { CaptionsState } from './captions/caption.ts';
import type { Thumbnails } from './pictures/thumbnails.ts';
import type { Kept } from './retention/kept.ts';
import { fitsTarget } from './stream.ts';
import { TICKS_PER_SECOND, ticksToSeconds } from './ticks.ts';

/** One rendition's piece of an entry. */
export type EntryRendition = Readonly<{
  /** Object key of the media segment. */
  key: string;
  /** Object key of the init segment that goes with it. */
  initKey: string;
  sizeBytes: number;
  /**
   * Of video: from the start of the object to the end of its first frame, a keyframe, which players can load
   * without the rest. Absent in entries from before it was recorded.
   */
  keyframeBytes?: number;
  /** Of audio, whose frames do not end where those of the video do; absent: those of the entry. */
  startTicks?: number;
  durationTicks?: number;
}>;

/** What a rendition is; the same for all its segments of one run. In a stream's totals: as it is declared. */
export type RenditionInfo =
  | Readonly<{
      kind: 'video';
      /** RFC 6381. */
      codecString: string;
      widthPx: number;
      heightPx: number;
      framesPerSecond: number;
      /** What the encoder is limited to; absent in timelines from before it was recorded. */
      maxrateBps?: number;
    }>
  | Readonly<{
      kind: 'audio';
      /** RFC 6381; several with commas between them. */
      codecString: string;
      channels: number;
      sampleRateHz: number;
      /** BCP 47; `und` when the source does not say. */
      language: string;
      /** Audio description: it tells what the picture shows. */
      describesVideo?: true;
    }>;

/** Pieces of one entry by the names of their renditions; empty for a gap. */
export type Pieces = Readonly<Record<string, EntryRendition>>;

/** Written once by the publisher and never changed. */
export type TimelineEntry = Readonly<{
  /** Media sequence number: 0, 1, 2 … through the whole life of the stream. */
  sequence: number;
  run: number;
  /** Of the source segment; one that is longer than the target duration has several entries. */
  number: number;
  startTicks: number;
  durationTicks: number;
  /** From the start of the stream, sum of all durations before. */
  offsetTicks: number;
  programDateTimeMs: number;
  /** EXT-X-DISCONTINUITY stands before this entry. */
  discontinuity: boolean;
  /** How many discontinuities the stream has had up to and including this entry. */
  discontinuities: number;
  renditions: Pieces;
  audioGaps?: AudioGaps;
  /**
   * Wall clock of the run's time zero, by which languages that are uploaded on their own were placed; absent
   * where there are none.
   */
  zeroMs?: number;
  /**
   * Versions of the captions that the entry before was listed with, and this one; absent: there were
   * none. What changed between the two is in this entry's segment of captions, too.
   */
  captionVersions?: readonly [before: number, own: number];
  /** Absent where none could be made, and in entries from before they were. */
  thumbnails?: Thumbnails;
}>;

/** Of a gap, by audio rendition: from where its piece before ends to where its next one begins. */
export type AudioGaps = Readonly<
  Record<string, Readonly<{ startTicks: number; durationTicks: number }>>
>;

/**
 * Times of two neighbours that differ by more are a discontinuity for players. Less is what rounding
 * and lost frames at a cut amount to.
 */
export const MAX_TIME_JUMP_TICKS = TICKS_PER_SECOND / 10;

export const isGap = ({ renditions }: Pick<TimelineEntry, 'renditions'>): boolean =>
  Object.keys(renditions).length === 0;

/**
 * Into how many entries a gap is divided in place of so many missing segments: each fits the target
 * duration. Undefined: it is longer than they may have been, which is twice the target duration each, so the
 * encoder's clock has stepped.
 */
export function gapEntries(
  missingTicks: number,
  segments: number,
  targetTicks: number,
): number | undefined {
  if (missingTicks > segments * 2 * targetTicks) return undefined;
  const targetSeconds = ticksToSeconds(targetTicks);
  let count = Math.ceil(missingTicks / (targetTicks + TICKS_PER_SECOND / 2));
  while (!fitsTarget(ticksToSeconds(missingTicks / count), targetSeconds)) count += 1;
  return count;
}

/** Sizes and durations of segments so far. */
export type SizeTotals = Readonly<{
  /** The highest rate so far, and the newest segments: bytes and ticks, newest first (rates.ts). */
  peakBps: number;
  newest?: readonly (readonly [sizeBytes: number, durationTicks: number])[];
  sizeBytes: number;
  durationTicks: number;
}>;

/** What a rendition has amounted to so far; BANDWIDTH and AVERAGE-BANDWIDTH come from it. */
export type RenditionTotals = SizeTotals &
  Readonly<{
    info: RenditionInfo;
    /** Init segment of its newest entry: a change needs EXT-X-MAP, and a discontinuity. */
    initKey: string;
    /** Of video: of the keyframes that can be loaded alone; absent while no entry has recorded them. */
    keyframes?: SizeTotals;
    /** Of video: what the encoder of its newest piece is limited to, its own or the fallback's. */
    maxrateBps?: number;
    /** Of audio: where its newest piece ends. */
    endTicks?: number;
    /**
     * Of audio that began after the stream: entries from the first of these sequences up to the second
     * have silent pieces, whose keys follow from the sequence.
     */
    silence?: Readonly<{ from: number; to: number; initKey: string; anchorTicks: number }>;
  }>;

/** Where the timeline ends, and what live playlists list of it: all that is needed to append to it. */
export type TimelineState = Readonly<{
  nextSequence: number;
  /** 0 before the first run. */
  run: number;
  /** The number to publish next; undefined until the run has an entry. */
  nextNumber?: number;
  endTicks: number;
  endOffsetTicks: number;
  endProgramDateTimeMs: number;
  /** Wall clock of timeline time zero in this run. */
  zeroProgramDateTimeMs: number;
  discontinuities: number;
  renditions: Readonly<Record<string, RenditionTotals>>;
  startedAtMs?: number;
  /** The encoder has ended the stream, and all of it is published. A later segment reopens it. */
  endedAtMs?: number;
  /** From when on live playlists say so (EXT-X-ENDLIST): later than the end where the encoder may come back. */
  endShownAtMs?: number;
  /**
   * What live playlists listed when they had ended, for the last few times that the stream went on
   * after viewers had been shown its end. Those playlists stay as they are (RFC 8216bis, 6.2.1); the next ones
   * have addresses of their own.
   */
  broadcasts: readonly EndedBroadcast[];
  /** EXT-X-TARGETDURATION; fixed with the first entries. */
  targetDurationSeconds?: number;
  /** Counts the segments that came after their gaps were published, for the recording. */
  lateArrivals: number;
  /** How many of these are pieces of a language, which entries of the timeline list in the recording. */
  latePieces?: number;
  /**
   * How far back live playlists reach; null: no limit. The owner's setting, once the publisher has
   * taken it over; undefined in a timeline that no publisher has written since this field exists.
   */
  dvrWindowTicks?: number | null;
  /** Live playlists list nothing before it. A floor: it only rises. */
  firstListedSequence: number;
  /** When the newest entry passed each step; absent in a timeline from before it was recorded. */
  newestHops?: SegmentHops;
  /** The newest change of a marker that viewers are shown; absent: none. */
  markerVersion?: number;
  /** How many of the changes up to it are not stored any more: their markers have expired. */
  expiredChanges?: number;
  /** Absent: the stream never had any. */
  captions?: CaptionsState;
  /** Object key of the newest poster that was published; absent: there is none. */
  poster?: string;
  /** Of the preview thumbnails so far, with the size of the newest picture; absent: there are none. */
  thumbnails?: SizeTotals & Pick<Thumbnails, 'widthPx' | 'heightPx'>;
  /** Bytes of all segments so far (`storedBytesOf`); absent in a timeline from before they were counted. */
  storedBytes?: number;
  /** What retention has left; absent: everything. */
  kept?: Kept;
  /** Live playlists are of the type EVENT: they only grow, whatever the window becomes later. */
  isEvent: boolean;
}>;

/** One segment's way to viewers; Unix times in milliseconds. */
export type SegmentHops = Readonly<{
  /** The end of its media, by the stream's wall clock. */
  recordedAtMs: number;
  uploadedAtMs: number;
  /** When a worker took its job. */
  startedAtMs?: number | undefined;
  transcodedAtMs: number;
  listedAtMs: number;
}>;

/** The part of the state that decides what live playlists list. */
export type EndedBroadcast = Readonly<{
  /** 1 for the first of the stream. */
  broadcast: number;
  nextSequence: number;
  endOffsetTicks: number;
  dvrWindowTicks: number | null;
  firstListedSequence: number;
  endedAtMs: number;
}>;

/** The one that is on, or that has ended last. */
export const currentBroadcast = ({ broadcasts }: Pick<TimelineState, 'broadcasts'>): number =>
  (broadcasts.at(-1)?.broadcast ?? 0) + 1;

/** undefined: it is the current one, or one that is still to come. Of those long ago, the oldest that is known. */
export const endedBroadcast = (
  { broadcasts }: Pick<TimelineState, 'broadcasts'>,
  broadcast: number,
): EndedBroadcast | undefined => broadcasts.find((ended) => ended.broadcast >= broadcast);

export const EMPTY_TIMELINE: TimelineState = {
  nextSequence: 0,
  run: 0,
  endTicks: 0,
  endOffsetTicks: 0,
  endProgramDateTimeMs: 0,
  zeroProgramDateTimeMs: 0,
  discontinuities: 0,
  renditions: {},
  lateArrivals: 0,
  broadcasts: [],
  firstListedSequence: 0,
  isEvent: false,
};

/** Bytes of what is stored of a stream. Before they were counted: of what its renditions list. */
export const storedBytes = (state: Pick<TimelineState, 'renditions' | 'storedBytes'>): number =>
  state.storedBytes ??
  Object.values(state.renditions).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

/**
 * The state under another DVR window. `firstListedSequence` is what live playlists list first now:
 * EXT-X-MEDIA-SEQUENCE never decreases (RFC 8216bis, 6.2.2), so a wider window brings nothing back.
 * The first window decides the playlist type: the tag can neither come nor go later (6.2.1), and
 * nothing may leave an EVENT playlist (4.4.3.5). So that of a stream with retention never is one.
 */
export const withDvrWindow = (
  state: TimelineState,
  dvrWindowTicks: number | null,
  firstListedSequence: number,
  hasRetention = false,
): TimelineState => ({
  ...state,
  dvrWindowTicks,
  firstListedSequence: Math.max(state.firstListedSequence, firstListedSequence),
  isEvent:
    state.dvrWindowTicks === undefined ? dvrWindowTicks === null && !hasRetention : state.isEvent,
});

/** Whether entries leave live playlists by time. If not, those begin at the floor and only grow. */
export const isSliding = (
  state: TimelineState,
): state is TimelineState & Readonly<{ dvrWindowTicks: number }> =>
  typeof state.dvrWindowTicks === 'number' && !state.isEvent;

/** Where live playlists begin, from the start of the stream. */
export const windowStartTicks = (state: TimelineState): number =>
  isSliding(state) ? Math.max(0, state.endOffsetTicks - state.dvrWindowTicks) : 0;

/**
 * Whether live playlists list an entry: any part of it lies in the window. What they do not list is
 * a beginning of the timeline, so a search can halve it.
 */
export const isListedLive = (entry: TimelineEntry, state: TimelineState): boolean =>
  entry.sequence >= state.firstListedSequence &&
  entry.offsetTicks + entry.durationTicks > windowStartTicks(state);

/**
 * EXT-X-DISCONTINUITY-SEQUENCE of a playlist that begins with `first`: the discontinuities that have
 * left it. A tag that stands right before `first` is itself listed, and counts from there
 * (RFC 8216bis, 4.4.3.3 and 6.2.2).
 */
export const discontinuitySequence = (first: TimelineEntry | undefined): number =>
  first ? first.discontinuities - (first.discontinuity ? 1 : 0) : 0;

/**
 * Whether viewers are told of the end: the encoder's time to come back is over. An end that lies further
 * ahead than that time is long was shown before the clock was set back, and what was shown is not taken
 * back (RFC 8216bis, 6.2.1).
 */
export function isEndShown(
  { endedAtMs = 0, endShownAtMs }: Pick<TimelineState, 'endedAtMs' | 'endShownAtMs'>,
  nowMs: number,
): boolean {
  if (endShownAtMs === undefined) return false;
  const graceMs = endShownAtMs - endedAtMs;
  return endShownAtMs <= nowMs || nowMs < endedAtMs - graceMs;
}
