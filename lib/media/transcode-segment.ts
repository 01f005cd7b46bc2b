/**
 * One source segment becomes a segment of every rendition. Stateless: all that ties segments together
 * (the timeline, the audio's frame alignment, the encoder's settings) is input, so jobs may run in any
 * order, anywhere and more than once, and their results abut.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../domain/errors.ts';
import type { PlannedRung } from '../domain/ladder.ts';
import type { AudioPreroll, SegmentFacts } from '../domain/segment.ts';
import { transcodeTimeoutMs } from '../domain/segment-work.ts';
import { makeAudioRendition } from './audio/audio-rendition.ts';
import type { AudioAnchor } from './audio/frame-alignment.ts';
import { demuxSegment } from './demux/demux.ts';
import type { DemuxedSegment, SegmentBytes } from './demux/demuxed-segment.ts';
import type { RenditionSegment } from './mux/cmaf.ts';
import { encodeRungs, finishRung } from './video/video-renditions.ts';

/** Of a segment's audio tracks at once. */
const MAX_ENCODERS = 2;

export type PreviousSegment = Readonly<{
  facts: SegmentFacts;
  timestampOffsetTicks: number;
  preroll: readonly AudioPreroll[];
  /** Used only when this segment does not start closed. */
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
  /** One per audio track of the run, in timeline ticks. */
  audioAnchors: readonly AudioAnchor[];
  previous?: PreviousSegment | undefined;
  /**
   * Start of the next segment on the timeline, if it is known by then; called after the encoding.
   * Sets how long the last frame lasts, which MPEG-TS does not say.
   */
  findEndTicks?: (() => Promise<number | undefined>) | undefined;
  /** Of each encoder; all cores without it. */
  threads?: number | undefined;
  /** The segment is given up after it; by what it holds, if it is left out. */
  timeoutMs?: number | undefined;
  workFolder: string;
  signal: AbortSignal;
}>;

export type TranscodedSegment = Readonly<{
  /** By name: the rungs' names, `audio`, `audio-2`, … */
  renditions: Readonly<Record<string, RenditionSegment>>;
  startTicks: number;
  durationTicks: number;
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
  const { timeoutMs = transcodeTimeoutMs(facts) } = input;
  const timer = setTimeout(() => stop.abort(tooSlow(timeoutMs)), timeoutMs);
  try {
    const [rungs, audio] = await allOrStop(stop, [
      encodeVideo(input, media, folder, signal),
      encodeAudio(input, media, folder, signal),
    ]);
    const startTicks = facts.startTicks + timestampOffsetTicks;
    const endTicks = (await input.findEndTicks?.()) ?? facts.endTicks + timestampOffsetTicks;
    const { video } = media;
    const finished = rungs.map((rung) => {
      if (!video || !facts.video) throw new Error('Video was encoded of a segment without video.');
      return [rung.rung.name, finishRung(rung, video, facts.video, startTicks, endTicks)] as const;
    });
    return {
      renditions: { ...Object.fromEntries(finished), ...audio },
      startTicks,
      durationTicks: endTicks - startTicks,
    };
  } finally {
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
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
  { facts, rungs, previous, threads }: TranscodeInput,
  { container, video }: DemuxedSegment,
  folder: string,
  signal: AbortSignal,
) {
  if (!video || !facts.video || rungs.length === 0) return [];
  const before =
    facts.video.startsClosed || previous?.facts.container !== container
      ? undefined
      : previous.source;
  return encodeRungs({
    video,
    facts: facts.video,
    previous: before && (await demuxSegment(before.bytes, before.init)).video,
    rungs,
    threads,
    folder,
    signal,
  });
}

async function encodeAudio(
  { facts, timestampOffsetTicks, audioAnchors, previous }: TranscodeInput,
  { audio }: DemuxedSegment,
  folder: string,
  signal: AbortSignal,
): Promise<Record<string, RenditionSegment>> {
  // Of more tracks than the upload took, the first are in the facts.
  const taken = audio.slice(0, facts.audio.length);
  const made = await mapInTurns(taken, MAX_ENCODERS, async (track, index) => {
    const rendition = await makeAudioRendition({
      track,
      index,
      timestampOffsetTicks,
      // A track that the run did not begin with counts from the timeline's start.
      anchor: audioAnchors[index] ?? { startTicks: 0, sampleRateHz: track.sampleRateHz },
      previous: previousAudio(previous, index),
      folder,
      signal,
    });
    // Tracks are identified by the order in which the container lists them.
    return [index === 0 ? 'audio' : `audio-${index + 1}`, rendition] as const;
  });
  return Object.fromEntries(made);
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

function previousAudio(previous: PreviousSegment | undefined, index: number) {
  const facts = previous?.facts.audio[index];
  const preroll = previous?.preroll.find(({ track }) => track === index);
  if (!previous || !facts || !preroll) return undefined;
  return {
    facts,
    endTicks: facts.endTicks + previous.timestampOffsetTicks,
    preroll: preroll.packets.map((packet) => new Uint8Array(Buffer.from(packet, 'base64'))),
  };
}
