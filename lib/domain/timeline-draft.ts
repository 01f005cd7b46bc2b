/** Entries in the making, and the state that they lead to. Pure. */

import { audioGapsOf } from './audio-gaps.ts';
import { channelTrackName, NO_CAPTIONS } from './captions/caption.ts';
import { declaredInfo } from './declared-info.ts';
import { UNDETERMINED } from './languages/language.ts';
import { fallbackOrder, presentationOf } from './presentation.ts';
import { measureSegment } from './rates.ts';
import type { Kept } from './retention/kept.ts';
import { piecesOf, type RenderedOutcome, type RenderedPiece, storedBytesOf } from './segment.ts';
import { TICKS_PER_SECOND, ticksToMs } from './ticks.ts';
import {
  currentBroadcast,
  type EntryRendition,
  gapEntries,
  isEndShown,
  MAX_TIME_JUMP_TICKS,
  type Pieces,
  type RenditionInfo,
  type RenditionTotals,
  storedBytes,
  type TimelineEntry,
  type TimelineState,
} from './timeline.ts';

/** An object that is stored before the entry that names it is written. */
export type StoredObject = Readonly<{ key: string; bytes: Uint8Array }>;

/** A silent piece of an audio rendition, from the end of the piece before it up to the end of the entry. */
export type MakeSilence = (
  rendition: string,
  info: Extract<RenditionInfo, { kind: 'audio' }>,
  sequence: number,
  startTicks: number,
  endTicks: number,
) => Readonly<{ piece: EntryRendition; objects: readonly StoredObject[] }>;

type RunStart = Readonly<{ run: number; anchorTicks: number; anchorMs: number }>;

/** A wall clock of the encoder's that differs by more from what is counted has been set. */
const MAX_CLOCK_DRIFT_MS = 1000;

/** Each write of the state holds them; nobody watches the live playlists of still earlier broadcasts. */
const MAX_ENDED_BROADCASTS = 10;

export class TimelineDraft {
  readonly entries: TimelineEntry[] = [];
  readonly shown: RenderedOutcome[] = [];
  readonly objects: StoredObject[] = [];
  state: TimelineState;
  readonly #run: number;
  readonly #targetTicks: number;
  readonly #nowMs: number;
  readonly #makeSilence: MakeSilence | undefined;
  #startsRun: boolean;

  constructor(
    state: TimelineState,
    run: RunStart,
    targetSeconds: number,
    nowMs: number,
    makeSilence?: MakeSilence,
  ) {
    this.state = state;
    this.#run = run.run;
    this.#targetTicks = targetSeconds * TICKS_PER_SECOND;
    this.#nowMs = nowMs;
    this.#makeSilence = makeSilence;
    this.#startsRun = state.run !== run.run || state.nextNumber === undefined;
    if (this.#startsRun) {
      const zero = run.anchorMs - ticksToMs(run.anchorTicks);
      this.state = { ...state, zeroProgramDateTimeMs: zero };
    }
  }

  /** No entry is of the run yet: what comes first starts it, behind a discontinuity. */
  get startsRun(): boolean {
    return this.#startsRun;
  }

  append(outcome: RenderedOutcome): void {
    const { startTicks } = this.#abutting(outcome);
    this.#setClock({ ...outcome, startTicks });
    this.state = {
      ...this.state,
      storedBytes: storedBytes(this.state) + storedBytesOf(outcome),
      ...(outcome.poster !== undefined && { poster: outcome.poster }),
      ...withChannels(this.state, outcome.closedCaptions ?? []),
    };
    const [first, ...others] = piecesOf(outcome);
    if (first) this.#appendPiece(outcome, this.#abutting(first));
    for (const piece of others) this.#appendPiece(outcome, piece);
    this.shown.push(outcome);
  }

  /**
   * Less than a jump before or behind the end of the entry before it begins there, as EXTINF and
   * EXT-X-PROGRAM-DATE-TIME say it: that end was listed before this start was known.
   */
  #abutting<Span extends Readonly<{ startTicks: number; durationTicks: number }>>(
    span: Span,
  ): Span {
    const { endTicks } = this.state;
    const durationTicks = span.startTicks + span.durationTicks - endTicks;
    const isNear = Math.abs(span.startTicks - endTicks) <= MAX_TIME_JUMP_TICKS;
    if (this.#startsRun || !isNear || durationTicks <= 0) return span;
    return { ...span, startTicks: endTicks, durationTicks };
  }

  /** Whether no media is missing before this segment, whatever the numbers say. */
  continuesWith({ startTicks }: RenderedOutcome, toleranceTicks: number): boolean {
    return !this.#startsRun && Math.abs(startTicks - this.state.endTicks) <= toleranceTicks;
  }

  /**
   * A gap for the numbers from `from` up to the ready segment `later`; none where the source's clock
   * shows that nothing is missing (the encoder skipped numbers). false if this write cannot hold it.
   */
  appendGap(from: number, later: RenderedOutcome, maxEntries: number): boolean {
    const missingTicks = later.startTicks - this.state.endTicks;
    const count = later.number - from;
    const needed =
      this.#startsRun || missingTicks <= MAX_TIME_JUMP_TICKS
        ? undefined
        : gapEntries(missingTicks, count, this.#targetTicks);
    // Longer than the numbers allow, or than one write holds: a discontinuity takes its place.
    if (needed === undefined || needed > maxEntries) return true;
    const size = Math.max(needed, Math.min(count, maxEntries));
    if (this.entries.length > 0 && this.entries.length + size > maxEntries) return false;
    const audioEnds = Object.fromEntries(
      Object.entries(this.state.renditions).flatMap(([name, { endTicks }]) =>
        endTicks === undefined ? [] : [[name, endTicks]],
      ),
    );
    const behind = piecesOf(later)[0]?.renditions ?? {};
    for (let index = 0; index < size; index += 1) {
      const startTicks = this.state.endTicks;
      const endTicks = later.startTicks - Math.round((missingTicks * (size - 1 - index)) / size);
      const durationTicks = endTicks - startTicks;
      const place = { isFirst: index === 0, isLast: index === size - 1 };
      const audioGaps = audioGapsOf({ startTicks, durationTicks, ...place }, audioEnds, behind);
      this.#push({
        number: Math.min(from + index, later.number - 1),
        startTicks,
        durationTicks,
        programDateTimeMs: this.state.zeroProgramDateTimeMs + ticksToMs(startTicks),
        discontinuity: false,
        renditions: {},
        ...(audioGaps && { audioGaps }),
      });
    }
    return true;
  }

  #appendPiece(outcome: RenderedOutcome, piece: RenderedPiece): void {
    const { state } = this;
    const first = state.nextSequence === 0;
    const { startTicks, durationTicks } = piece;
    const jumps = Math.abs(startTicks - state.endTicks) > MAX_TIME_JUMP_TICKS;
    const otherInit = Object.entries(piece.renditions).some(([name, { initKey }]) => {
      const before = state.renditions[name]?.initKey;
      return before !== undefined && before !== initKey;
    });
    const discontinuity = !first && (this.#startsRun || jumps || otherInit);
    const pieces = this.#withSilence(piece, discontinuity);
    const { zeroProgramDateTimeMs: zero } = state;
    this.#push({
      number: outcome.number,
      startTicks,
      durationTicks,
      programDateTimeMs: zero + ticksToMs(startTicks),
      discontinuity,
      renditions: pieces,
      ...(piece.thumbnails && { thumbnails: piece.thumbnails }),
    });
    this.state = {
      ...withThumbnails(this.state, piece, this.#targetTicks),
      renditions: totalsWith(
        this.state,
        pieces,
        outcome.catalogue,
        durationTicks,
        this.#targetTicks,
      ),
      targetDurationSeconds: this.#targetTicks / TICKS_PER_SECOND,
      startedAtMs: this.state.startedAtMs ?? Math.round(zero + ticksToMs(startTicks)),
    };
    this.#startsRun = false;
  }

  /** An audio rendition that has no piece here is silent: a player that finds a gap in it stops. */
  #withSilence(
    { startTicks, durationTicks, renditions }: RenderedPiece,
    discontinuity: boolean,
  ): Pieces {
    const pieces: Record<string, EntryRendition> = { ...renditions };
    for (const [name, { info, endTicks }] of Object.entries(this.state.renditions)) {
      if (info.kind !== 'audio' || pieces[name] || !this.#makeSilence) continue;
      const isNear =
        endTicks !== undefined && Math.abs(endTicks - startTicks) < TICKS_PER_SECOND / 2;
      const from = !discontinuity && isNear ? endTicks : startTicks;
      const { nextSequence } = this.state;
      const made = this.#makeSilence(name, info, nextSequence, from, startTicks + durationTicks);
      pieces[name] = made.piece;
      this.objects.push(...made.objects);
    }
    return pieces;
  }

  /**
   * Sets the wall clock of time zero: to what the encoder says where that differs, and so that a clock
   * that starts over goes on where the entry before ended.
   */
  #setClock({ startTicks, programDateTimeMs: saidMs }: RenderedOutcome): void {
    const { zeroProgramDateTimeMs: zero, endProgramDateTimeMs: endMs, nextSequence } = this.state;
    const countedMs = zero + ticksToMs(startTicks);
    const isSet =
      saidMs !== undefined &&
      (this.#startsRun || Math.abs(saidMs - countedMs) > MAX_CLOCK_DRIFT_MS);
    const ownMs = isSet ? saidMs : countedMs;
    const startMs = nextSequence === 0 || ownMs >= endMs - 1 ? ownMs : endMs;
    this.state = { ...this.state, zeroProgramDateTimeMs: zero + (startMs - countedMs) };
  }

  #push(entry: Omit<TimelineEntry, 'sequence' | 'run' | 'offsetTicks' | 'discontinuities'>): void {
    const { endedAtMs: _ended, endShownAtMs: _shown, ...open } = this.state;
    const state = isEndShown(this.state, this.#nowMs)
      ? { ...open, ...nextBroadcast(this.state) }
      : open;
    const discontinuities = state.discontinuities + (entry.discontinuity ? 1 : 0);
    const { captions, kept } = state;
    this.entries.push({
      ...entry,
      ...(captions && { captionVersions: [captions.listedVersion, captions.version] }),
      sequence: state.nextSequence,
      run: this.#run,
      offsetTicks: state.endOffsetTicks,
      discontinuities,
    });
    this.state = {
      ...state,
      nextSequence: state.nextSequence + 1,
      endTicks: entry.startTicks + entry.durationTicks,
      endOffsetTicks: state.endOffsetTicks + entry.durationTicks,
      endProgramDateTimeMs: entry.programDateTimeMs + ticksToMs(entry.durationTicks),
      discontinuities,
      ...(kept && { kept: beginningAt(kept, state, entry) }),
      ...(captions && { captions: { ...captions, listedVersion: captions.version } }),
    };
  }
}

/** Each channel of closed captions in the video is a track from the first segment on that has some. */
function withChannels(
  { captions = NO_CAPTIONS }: Pick<TimelineState, 'captions'>,
  channels: readonly string[],
): Pick<TimelineState, 'captions'> {
  const { removedChannels = [] } = captions;
  const fresh = channels.filter(
    (channel) => !captions.tracks[channelTrackName(channel)] && !removedChannels.includes(channel),
  );
  if (fresh.length === 0) return {};
  const since = captions.version;
  const tracks = fresh.map((channel) => [
    channelTrackName(channel),
    { language: UNDETERMINED, channel, since },
  ]);
  return {
    captions: { ...captions, tracks: { ...captions.tracks, ...Object.fromEntries(tracks) } },
  };
}

/** A recording of which nothing was left begins anew with the next entry. */
const beginningAt = (
  kept: Kept,
  { nextSequence: sequence, endOffsetTicks: offsetTicks }: TimelineState,
  { programDateTimeMs }: Pick<TimelineEntry, 'programDateTimeMs'>,
): Kept => (kept.first ? kept : { ...kept, first: { sequence, offsetTicks, programDateTimeMs } });

/**
 * Playlists that have shown their end stay ended; what follows is listed by others, which begin where retention
 * has left something.
 */
function nextBroadcast(
  state: TimelineState,
): Pick<TimelineState, 'broadcasts' | 'firstListedSequence'> {
  const { nextSequence, endOffsetTicks, firstListedSequence } = state;
  const { dvrWindowTicks = null, endedAtMs = 0 } = state;
  const ended = { nextSequence, endOffsetTicks, dvrWindowTicks, firstListedSequence, endedAtMs };
  const broadcast = currentBroadcast(state);
  return {
    broadcasts: [...state.broadcasts, { broadcast, ...ended }].slice(-MAX_ENDED_BROADCASTS),
    firstListedSequence: Math.max(firstListedSequence, state.kept?.floorSequence ?? 0),
  };
}

/** The state with the thumbnails of one more piece. */
export function withThumbnails<State extends Pick<TimelineState, 'thumbnails'>>(
  state: State,
  { thumbnails, durationTicks }: RenderedPiece,
  targetTicks: number,
): State {
  if (!thumbnails) return state;
  const { sizeBytes, widthPx, heightPx } = thumbnails;
  const totals = measureSegment(state.thumbnails, sizeBytes, durationTicks, targetTicks);
  return { ...state, thumbnails: { ...totals, widthPx, heightPx } };
}

/**
 * The renditions' totals with one more entry. Each counts what it lists: its own piece, or the
 * fallback's. A new rendition has listed the fallback's pieces so far.
 */
export function totalsWith(
  state: Pick<TimelineState, 'renditions'>,
  pieces: Pieces,
  catalogue: Readonly<Record<string, RenditionInfo>>,
  durationTicks: number,
  targetTicks: number,
): TimelineState['renditions'] {
  const known: Record<string, RenditionTotals> = { ...state.renditions };
  for (const [name, piece] of Object.entries(pieces)) {
    const info = catalogue[name] ?? known[name]?.info;
    if (!info) continue;
    const before = known[name] ?? { peakBps: 0, sizeBytes: 0, durationTicks: 0 };
    const declared = declaredInfo(known[name]?.info, info);
    known[name] = { ...before, info: declared, initKey: piece.initKey };
  }
  const presentation = presentationOf({ renditions: known });
  const measured = Object.entries(known).map(([name, totals]): [string, RenditionTotals] => {
    const order = [name, ...fallbackOrder(presentation, name)];
    const source = order.find((one) => pieces[one]) ?? name;
    const listed = pieces[source];
    if (!listed) return [name, totals];
    const sourceInfo = catalogue[source] ?? totals.info;
    const isNew = !state.renditions[name];
    const stoodIn = order.find((one) => one !== name && state.renditions[one]);
    const before = isNew && stoodIn ? state.renditions[stoodIn] : totals;
    const ticks = listed.durationTicks ?? durationTicks;
    const rates = measureSegment(before, listed.sizeBytes, ticks, targetTicks);
    const { keyframeBytes } = listed;
    const keyframes =
      keyframeBytes === undefined
        ? before?.keyframes
        : measureSegment(before?.keyframes, keyframeBytes, ticks, targetTicks);
    const own = pieces[name];
    const end =
      own?.startTicks === undefined || own.durationTicks === undefined
        ? {}
        : { endTicks: own.startTicks + own.durationTicks };
    const maxrateBps = sourceInfo.kind === 'video' ? sourceInfo.maxrateBps : undefined;
    const limit = maxrateBps === undefined ? {} : { maxrateBps };
    const info = declaredInfo(sourceInfo, declaredInfo(before?.info, totals.info));
    const trickPlay = keyframes && { keyframes };
    return [name, { ...totals, info, ...limit, ...rates, ...trickPlay, ...end }];
  });
  return Object.fromEntries(measured);
}
