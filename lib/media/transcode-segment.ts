/**
 * One source segment becomes a segment of every rendition. Stateless: all that ties segments together
 * (the timeline, the audio's frame alignment, the encoder's settings) is input, so jobs may run in any
 * order, anywhere and more than once, and their results abut.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { audioRenditionName, audioSlots, type SlotTrack } from '../domain/audio-slots.ts';
import type { CaptionPair } from '../domain/captions/closed-captions.ts';
import { DomainError } from '../domain/errors.ts';
import type { PlannedRung } from '../domain/ladder.ts';
import { thumbnailColumns } from '../domain/pictures/thumbnails.ts';
import type { AudioFacts, AudioPreroll, SegmentFacts } from '../domain/segment.ts';
import { transcodeTimeoutMs } from '../domain/segment-work.ts';
import { TICKS_PER_SECOND } from '../domain/ticks.ts';
import { makeAudioRendition } from './audio/audio-rendition.ts';
import { coverAudio } from './audio/coverage.ts';
import { cutAudio } from './audio/cut-audio.ts';
import { prerollPackets } from './audio/preroll.ts';
import {
  canBeCopied,
  isCopied,
  type RenditionFormat,
  renditionFormat,
} from './audio/rendition-format.ts';
import type { PreviousTrack } from './audio/stretches.ts';
import { readClosedCaptions } from './captions/closed-captions.ts';
import { type Cuts, cutTimes } from './cut-times.ts';
import { demuxSegment } from './demux/demux.ts';
import type { DemuxedSegment, SegmentBytes } from './demux/demuxed-segment.ts';
import type { RenditionSegment } from './mux/cmaf.ts';
import { encodeBlack } from './video/missing-picture.ts';
import {
  type EncodedPicture,
  encodeRungs,
  finishRung,
  type ThumbnailSprite,
} from './video/video-renditions.ts';

/** Of a segment's audio tracks at once. */
const MAX_ENCODERS = 2;
const MAX_LEAD_TICKS = TICKS_PER_SECOND;

export type PreviousSegment = Readonly<{
  facts: SegmentFacts;
  timestampOffsetTicks: number;
  preroll: readonly AudioPreroll[];
  /** Used only if `needsPrevious`. */
  source?: SegmentBytes | undefined;
}>;

export type TranscodeInput = Readonly<{
  segment: Uint8Array;
  init?: Uint8Array | undefined;
  facts: SegmentFacts;
  /** Added to the container's times. */
  timestampOffsetTicks: number;
  /** Planned for the run; video of another shape is fitted in. */
  rungs: readonly PlannedRung[];
  /** Of the run's picture: a segment without one is black. Left out: it has no video. */
  framesPerSecond?: number | undefined;
  /** Of the run: the renditions are named by this list, and each counts its frames from its track's start. */
  audioTracks: readonly RunTrack[];
  /** Those that the stream began with, which give the renditions their format; left out: those of the run. */
  firstTracks?: readonly TrackFormat[] | undefined;
  previous?: PreviousSegment | undefined;
  /**
   * Start of the next segment on the timeline, if it is known by then; asked once: after the encoding, or
   * before it where `facts.endIsGuess`. Sets how long the last frame lasts, which MPEG-TS does not say.
   */
  findEndTicks?: (() => Promise<number | undefined>) | undefined;
  /** EXT-X-TARGETDURATION of the stream; a longer segment is cut into pieces. undefined: not fixed yet. */
  targetSeconds?: number | undefined;
  /** Make a poster of the first picture, too. */
  wantsPoster?: boolean | undefined;
  /** Make preview thumbnails, too. */
  wantsThumbnails?: boolean | undefined;
  /** Of each encoder; all cores without it. */
  threads?: number | undefined;
  /** The segment is given up after it; by what it holds, if it is left out. */
  timeoutMs?: number | undefined;
  workFolder: string;
  signal: AbortSignal;
}>;

type TrackFormat = Pick<AudioFacts, 'sampleRateHz' | 'channels'> &
  Pick<RenditionFormat, 'codecString'>;
type RunTrack = SlotTrack & TrackFormat & Readonly<{ startTicks: number }>;

/**
 * Whether a job needs the segment before: for frames that refer to it, and for audio that is encoded
 * though tracks of its kind are copied, whose pre-roll is not recorded.
 */
export const needsPrevious = ({
  facts,
  audioTracks,
  firstTracks = audioTracks,
}: Pick<TranscodeInput, 'facts' | 'audioTracks' | 'firstTracks'>): boolean =>
  facts.video?.startsClosed === false ||
  audioSlots(audioTracks, facts.audio).some((slot, index) => {
    const track = facts.audio[index];
    return track && canBeCopied(track) && !isCopied(track, renditionFormat(firstTracks[slot]));
  });

/** `renditions` by name: the rungs' names, `audio`, `audio-2`, … */
export type TranscodedPiece = Readonly<{
  renditions: Readonly<Record<string, RenditionSegment>>;
  startTicks: number;
  durationTicks: number;
  /** Absent: none were wanted, or none could be made. */
  thumbnails?: ThumbnailSprite | undefined;
}>;

export type TranscodedSegment = Readonly<{
  startTicks: number;
  durationTicks: number;
  /** JPEG; absent: none was wanted, or none could be made. */
  poster?: Uint8Array | undefined;
  /** In the video, by the timeline's clock; empty: there are none. */
  closedCaptions: readonly CaptionPair[];
  /** One, or several that abut. */
  pieces: readonly TranscodedPiece[];
}>;

/**
 * Throws DomainError `undecodable` when the source is at fault and a retry will not help, and any
 * other error when it may. Leaves nothing in `workFolder`.
 */
export async function transcodeSegment(input: TranscodeInput): Promise<TranscodedSegment> {
  const { facts, timestampOffsetTicks, workFolder } = input;
  const media = await demuxSegment(input.segment, input.init);
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'segment-'));
  const stop = new AbortController();
  const signal = AbortSignal.any([input.signal, stop.signal]);
  const { previous: { source } = {}, timeoutMs = transcodeTimeoutMs(facts) } = input;
  const timer = setTimeout(() => stop.abort(tooSlow(timeoutMs)), timeoutMs);
  try {
    const startTicks = startOf(input);
    const before =
      source && needsPrevious(input) ? await demuxSegment(source.bytes, source.init) : undefined;
    // The cuts follow from the end. Where that is a guess it is found before them: an end that was found
    // later would make the last piece longer than the target duration.
    const earlyTicks = facts.endIsGuess ? await input.findEndTicks?.() : undefined;
    const span =
      earlyTicks === undefined ? facts : { ...facts, endTicks: earlyTicks - timestampOffsetTicks };
    const cuts = cutTimes(media.video, span, input.targetSeconds);
    const [picture, audio] = await allOrStop(stop, [
      encodeVideo(input, media, before, cuts, span.endTicks, folder, signal),
      encodeAudio(input, media, before, folder, signal),
    ]);
    const foundTicks = facts.endIsGuess ? earlyTicks : await input.findEndTicks?.();
    const endTicks = foundTicks ?? facts.endTicks + timestampOffsetTicks;
    const durationTicks = endTicks - startTicks;
    const bounds = [0, ...cuts.atTicks.filter((ticks) => ticks < durationTicks), durationTicks];
    const finished = picture.rungs.map(
      (rung) => [rung.rung.name, finishRung(rung, picture, startTicks, bounds)] as const,
    );
    const separated = Object.entries(audio).map(
      ([name, rendition]) => [name, cutAudio(rendition, startTicks, bounds)] as const,
    );
    const pieces = bounds.slice(0, -1).map((from, index) => ({
      startTicks: startTicks + from,
      durationTicks: (bounds[index + 1] ?? from) - from,
      thumbnails: picture.thumbnails?.[index],
      renditions: Object.fromEntries(
        [...finished, ...separated].flatMap(([name, parts]) => {
          const part = parts[index];
          return part ? [[name, part]] : [];
        }),
      ),
    }));
    const closedCaptions = readClosedCaptions(media.video).map(({ ticks, ...pair }) => {
      return { ticks: ticks + timestampOffsetTicks, ...pair };
    });
    return { startTicks, durationTicks, poster: picture.poster, closedCaptions, pieces };
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Sound leads its segment by what muxers hold back: where the picture is missing, it begins where it ended. */
function startOf({
  facts,
  timestampOffsetTicks,
  framesPerSecond,
  previous,
}: TranscodeInput): number {
  const ownTicks = facts.startTicks + timestampOffsetTicks;
  if (facts.video || !framesPerSecond || !previous?.facts.video) return ownTicks;
  const endTicks = previous.facts.endTicks + previous.timestampOffsetTicks;
  return Math.abs(endTicks - ownTicks) <= MAX_LEAD_TICKS ? endTicks : ownTicks;
}

const tooSlow = (timeoutMs: number): DomainError =>
  new DomainError(
    'undecodable',
    `Transcoding it took longer than ${Math.round(timeoutMs / 1000)} s.`,
    'Lower the size or the frame rate of the source, or run workers on a faster machine.',
  );

/** All results; at the first failure the others are stopped and waited for, as they use the folder. */
async function allOrStop<T extends readonly unknown[]>(
  stop: AbortController,
  jobs: { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const guarded = jobs.map((job) =>
    (job as Promise<unknown>).catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(guarded);
  return (await Promise.all(guarded)) as unknown as T;
}

async function encodeVideo(
  input: TranscodeInput,
  { container, video }: DemuxedSegment,
  before: DemuxedSegment | undefined,
  cuts: Cuts,
  endTicks: number,
  folder: string,
  signal: AbortSignal,
): Promise<EncodedPicture> {
  const { facts, rungs, threads, framesPerSecond, timestampOffsetTicks } = input;
  const none = { rungs: [], frames: [], startTicks: 0, framesPerSecond: 0 };
  const shared = { rungs, keyframesAtTicks: cuts.atTicks, threads, folder, signal };
  if (rungs.length === 0) return none;
  if (!video || !facts.video) {
    if (!framesPerSecond) return none;
    const startTicks = startOf(input) - timestampOffsetTicks;
    const span = { startTicks, endTicks };
    return encodeBlack({ ...shared, ...span, framesPerSecond });
  }
  const isReferredTo = !facts.video.startsClosed && before?.container === container;
  const previous = isReferredTo ? before.video : undefined;
  const { startTicks } = facts.video;
  const { repeatsPerSecond: perSecond } = cuts;
  const repeats = perSecond && { repeats: { perSecond, durationTicks: endTicks - startTicks } };
  const durationTicks = endTicks - startTicks;
  const boundsTicks = [0, ...cuts.atTicks, durationTicks];
  const columns = thumbnailColumns(durationTicks, boundsTicks.length - 1);
  const encoded = await encodeRungs({
    ...{ ...shared, ...repeats, video, facts: facts.video, previous },
    wantsPoster: input.wantsPoster,
    thumbnails: input.wantsThumbnails ? { columns, boundsTicks } : undefined,
  });
  const { framesPerSecond: ownRate } = facts.video;
  return { ...encoded, frames: video.frames, startTicks, framesPerSecond: ownRate };
}

async function encodeAudio(
  input: TranscodeInput,
  media: DemuxedSegment,
  demuxedBefore: DemuxedSegment | undefined,
  folder: string,
  signal: AbortSignal,
): Promise<Record<string, RenditionSegment>> {
  const { facts, timestampOffsetTicks, audioTracks, firstTracks = audioTracks, previous } = input;
  const slots = audioSlots(audioTracks, facts.audio);
  const made = await mapInTurns(slots, MAX_ENCODERS, async (slot, index) => {
    const track = media.audio[index];
    if (!track) return [];
    // A track that the run did not begin with counts from the timeline's start.
    const { startTicks } = audioTracks[slot] ?? { startTicks: 0 };
    const anchor = { startTicks, ...renditionFormat(firstTracks[slot]) };
    const before = previous && previousTrack(previous, demuxedBefore, audioTracks, slot);
    const own = { facts, timestampOffsetTicks, track: facts.audio[index] };
    const coverage = coverAudio(own, before, anchor);
    const rendition = await makeAudioRendition({
      ...{ track, index, timestampOffsetTicks, anchor, coverage, previous: before },
      ...{ mayBeSilent: media.video !== undefined, folder, signal },
    });
    return [[audioRenditionName(slot), rendition] as const];
  });
  return Object.fromEntries(made.flat());
}

/** As `Promise.all`, but so many at once; after a failure no more are begun, and it waits for those that run. */
async function mapInTurns<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  map: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const runTurns = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await map(items[index] as Item, index).catch((error: unknown) => {
        next = items.length;
        throw error;
      });
    }
  };
  const turns = Array.from({ length: atOnce }, runTurns);
  await Promise.allSettled(turns);
  await Promise.all(turns);
  return results;
}

/** The segment before as the track of a slot sees it. */
function previousTrack(
  { facts, timestampOffsetTicks, preroll }: PreviousSegment,
  demuxed: DemuxedSegment | undefined,
  audioTracks: readonly SlotTrack[],
  slot: number,
): PreviousTrack {
  const index = audioSlots(audioTracks, facts.audio).indexOf(slot);
  const recorded = preroll.find(({ track }) => track === index)?.packets ?? [];
  const track = demuxed?.audio[index];
  return {
    ...{ facts, timestampOffsetTicks, track: facts.audio[index] },
    preroll:
      recorded.length === 0 && track
        ? prerollPackets(track)
        : recorded.map((packet) => new Uint8Array(Buffer.from(packet, 'base64'))),
  };
}
