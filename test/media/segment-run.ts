/** Transcodes all segments of a clip as independent jobs, and joins what came out. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planLadder, type Rung } from '../../lib/domain/ladder.ts';
import type { AudioPreroll, SegmentFacts } from '../../lib/domain/segment.ts';
import { TIMELINE_OFFSET_TICKS, unwrapOffset } from '../../lib/domain/ticks.ts';
import type { RenditionInfo } from '../../lib/domain/timeline.ts';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import type { DemuxedSegment } from '../../lib/media/demux/demuxed-segment.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import {
  type TranscodedPiece,
  type TranscodedSegment,
  type TranscodeInput,
  transcodeSegment,
} from '../../lib/media/transcode-segment.ts';
import type { Clip } from '../support/media.ts';

export const SMALL_LADDER: readonly Rung[] = [
  { name: '180p', shortSidePx: 180, maxrateBps: 400_000 },
  { name: '90p', shortSidePx: 90, maxrateBps: 150_000 },
];

export type PlacedSegment = Readonly<{
  bytes: Uint8Array;
  facts: SegmentFacts;
  preroll: readonly AudioPreroll[];
  timestampOffsetTicks: number;
  media: DemuxedSegment;
}>;

/** On the timeline as an upload puts them: one timestamp offset for all, but for the wraps. */
export async function placeSegments(clip: Clip): Promise<PlacedSegment[]> {
  const placed: PlacedSegment[] = [];
  for (const { bytes } of clip.segments) {
    const { facts, preroll } = await inspectSegment(bytes, clip.init);
    const media = await demuxSegment(bytes, clip.init);
    const before = placed.at(-1);
    const near = before ? before.facts.startTicks + before.timestampOffsetTicks : undefined;
    const ownTicks = facts.startTicks + TIMELINE_OFFSET_TICKS;
    const timestampOffsetTicks =
      TIMELINE_OFFSET_TICKS + (near === undefined ? 0 : unwrapOffset(ownTicks, near));
    placed.push({ bytes, facts, preroll, timestampOffsetTicks, media });
  }
  return placed;
}

export type RunOptions = Readonly<{
  ladder?: readonly Rung[];
  /** Indices, in the order in which the jobs are done; others are left out. */
  order?: readonly number[];
  withPrevious?: boolean;
  knowsEnds?: boolean;
  /** The audio that the stream began with, where that was another run. */
  firstTracks?: TranscodeInput['firstTracks'];
  threads?: number;
  timeoutMs?: number;
  targetSeconds?: number;
  wantsThumbnails?: boolean;
}>;

export type JoinedSample = Readonly<{ bytes: Uint8Array; ptsTicks: number }>;

export type JoinedPiece = Readonly<{
  startTicks: number;
  endTicks: number;
  samples: readonly JoinedSample[];
  digest: string;
}>;

export type JoinedRendition = Readonly<{
  info: RenditionInfo;
  inits: ReadonlySet<string>;
  /** Init segment and all media segments, one behind the other. */
  bytes: Uint8Array;
  pieces: readonly JoinedPiece[];
}>;

export type SegmentRun = Readonly<{
  placed: readonly PlacedSegment[];
  results: readonly TranscodedSegment[];
  renditions: Readonly<Record<string, JoinedRendition>>;
}>;

const folder = mkdtempSync(join(tmpdir(), 'rivulet-run-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
export const workFolder = folder;

export async function transcodePlaced(
  clip: Clip,
  placed: readonly PlacedSegment[],
  index: number,
  options: RunOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<TranscodedSegment> {
  const [first] = placed;
  const segment = placed[index];
  if (!first || !segment) throw new Error(`There is no segment ${index}.`);
  const init = clip.init ? { init: clip.init } : {};
  const { withPrevious = true, knowsEnds = true, ladder = SMALL_LADDER } = options;
  const { threads, timeoutMs, targetSeconds, firstTracks, wantsThumbnails } = options;
  const previous = withPrevious ? placed[index - 1] : undefined;
  const following = knowsEnds ? placed[index + 1] : undefined;
  const isComparable = following?.facts.video || !segment.facts.video;
  const next = isComparable ? following : undefined;
  const { bytes, facts, timestampOffsetTicks } = segment;
  return transcodeSegment({
    segment: bytes,
    ...init,
    facts,
    timestampOffsetTicks,
    rungs: first.facts.video ? planLadder(ladder, first.facts.video) : [],
    audioTracks: first.facts.audio.map((track) => ({
      ...track,
      startTicks: track.startTicks + first.timestampOffsetTicks,
    })),
    firstTracks,
    framesPerSecond: first.facts.video?.framesPerSecond,
    ...(previous ? { previous: { ...previous, source: { bytes: previous.bytes, ...init } } } : {}),
    ...(next
      ? { findEndTicks: async () => next.facts.startTicks + next.timestampOffsetTicks }
      : {}),
    threads,
    timeoutMs,
    targetSeconds,
    wantsThumbnails,
    workFolder: folder,
    signal,
  });
}

/** Of a segment that was not cut. */
export function renditionsOf({ pieces }: TranscodedSegment): TranscodedPiece['renditions'] {
  const [piece, ...more] = pieces;
  if (!piece || more.length > 0) throw new Error(`The segment has ${pieces.length} pieces.`);
  return piece.renditions;
}

export async function transcodeRun(clip: Clip, options: RunOptions = {}): Promise<SegmentRun> {
  const placed = await placeSegments(clip);
  const order = options.order ?? placed.map((_, index) => index);
  const byIndex = new Map<number, TranscodedSegment>();
  const waiting = [...order];
  const work = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      byIndex.set(index, await transcodePlaced(clip, placed, index, options));
    }
  };
  await Promise.all([work(), work()]);
  const results = [...byIndex.keys()]
    .sort((a, b) => a - b)
    .flatMap((index) => byIndex.get(index) ?? []);
  return { placed, results, renditions: joinRenditions(results) };
}

function joinRenditions(results: readonly TranscodedSegment[]): Record<string, JoinedRendition> {
  const listed = results.flatMap(({ pieces }) => pieces);
  const names = Object.keys(listed[0]?.renditions ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const parts = listed.flatMap(({ renditions }) => renditions[name] ?? []);
      const [first] = parts;
      if (!first) throw new Error(`There is no rendition ${name}.`);
      const pieces = parts.map(({ init, media }): JoinedPiece => {
        const track = parseCmaf(Buffer.concat([init, media]));
        const { samples } = track;
        // Decode times lie before the presentation by the same delay in all segments.
        const startTicks = Math.min(...samples.map(({ ptsTicks }) => ptsTicks));
        const endTicks = track.endTicks + startTicks - track.startTicks;
        return { startTicks, endTicks, samples, digest: digestOf(media) };
      });
      const inits = new Set(parts.map(({ init }) => digestOf(init)));
      const bytes = Buffer.concat([first.init, ...parts.map(({ media }) => media)]);
      return [name, { info: first.info, inits, bytes, pieces }];
    }),
  );
}

export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
