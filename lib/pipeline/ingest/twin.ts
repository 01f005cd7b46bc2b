/** A pushed segment and the one that has its number or its time already: which of them is shown. */

import { DomainError } from '../../domain/errors.ts';
import type { Notice } from '../../domain/notice.ts';
import {
  answerTwin,
  followsOn,
  isBetterVariant,
  overlap,
  type Span,
  type TwinAnswer,
  type VariantFacts,
} from '../../domain/pushed-twin.ts';
import type { SegmentFacts, SourceSegment } from '../../domain/segment.ts';
import { areAlike, mayBeOfOneVariant } from '../../domain/segment-names.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { TIMELINE_OFFSET_TICKS, unwrapOffset } from '../../domain/ticks.ts';
import type { IngestDeps } from '../deps.ts';
import { endsWith } from './end.ts';
import type { Sequencing } from './sequencing.ts';

/** A segment that was pushed as a file. */
export type PushedName = Readonly<{
  name: string;
  /** Its number is not told by a counter yet, so it may be of another variant. */
  mayBeVariant: boolean;
  /** By names of playlists, from the multivariant playlist. */
  bandwidths: Readonly<Record<string, number>>;
}>;

type PushedUpload = Readonly<{ number: number; file?: PushedName; bytes: Uint8Array }>;

export type Twin = Readonly<{
  answer: TwinAnswer;
  /** Of the file that is uploaded. */
  name: string;
  /** Of the segment that was there. */
  keptName: string;
  run: Run;
  segment: SourceSegment;
  newest: SourceSegment;
  /** Added to the container's times for the run's clock. */
  timestampOffsetTicks: number;
}>;

/** The variants of one segment are encoded together and sent one beside the other. */
const TOGETHER_MS = 10_000;

/** Segments at the start of a run; later ones are known by their names. */
const FIRST_SEGMENTS = 3;

/**
 * undefined if the segment takes the place that its number gives it. Numbers that start over while the
 * media goes on (`seg999.ts`, `seg000.ts`) are counted on.
 */
export async function findTwin(
  deps: IngestDeps,
  stream: Stream,
  { number, file, bytes }: PushedUpload,
  facts: SegmentFacts,
  place: Sequencing,
): Promise<Twin | undefined> {
  if (!file) return undefined;
  const { records } = deps;
  const nowMs = deps.clock.now();
  const [run, newest] = await runAndNewest(deps, stream, place);
  if (!run || !newest) return undefined;
  const newestSpan = spanOf(newest);
  const timestampOffsetTicks =
    TIMELINE_OFFSET_TICKS +
    unwrapOffset(facts.startTicks + TIMELINE_OFFSET_TICKS, newestSpan.startTicks);
  const span = {
    startTicks: facts.startTicks + timestampOffsetTicks,
    endTicks: facts.endTicks + timestampOffsetTicks,
  };
  const isTogether = ({ uploadedAtMs }: SourceSegment) =>
    Math.abs(nowMs - uploadedAtMs) <= TOGETHER_MS;
  const segment =
    place.type === 'twin'
      ? place.segment
      : (await mayBeBeside(deps, stream, file, run, newest)).find(
          (one) => one.name !== undefined && isTogether(one) && overlap(span, spanOf(one)),
        );
  if (!segment) {
    const foreign = foreignVariant(file, bytes, facts, span, run, newest, isTogether(newest));
    if (foreign) {
      const names = { name: file.name, keptName: newest.name ?? file.name };
      return { answer: foreign, ...names, run, segment: newest, newest, timestampOffsetTicks };
    }
    const startsOver = number < newest.number && followsOn(span, newestSpan);
    if (!startsOver || !hasPictureOf(run, facts)) return undefined;
    const end = await records.endRequest(stream);
    if (end && endsWith(end, run, newest)) return undefined;
    const { name } = file;
    const answer = 'next_number';
    return { answer, name, keptName: name, run, segment: newest, newest, timestampOffsetTicks };
  }
  const keptName = segment.name ?? file.name;
  const [end, outcome] = await Promise.all([
    records.endRequest(stream),
    records.findOutcome(stream, run.run, segment.number),
  ]);
  const answer = answerTwin({
    isSameName: keptName === file.name,
    span,
    twin: spanOf(segment),
    twinNumber: segment.number,
    newest: { ...newestSpan, number: newest.number },
    firstNumber: run.firstNumber,
    runEnded: end !== undefined && endsWith(end, run, newest),
    twinIsDone: outcome !== undefined,
    cameTogether: isTogether(segment),
    isBetter: isBetterVariant(
      variantFacts(file.name, bytes.byteLength, facts),
      variantFacts(keptName, segment.sizeBytes, segment.facts),
      file.bandwidths,
    ),
    isRunsOwn: hasPictureOf(run, facts) && !hasPictureOf(run, segment.facts),
    isFirstPicture: !run.picture && facts.video !== undefined,
    isRedundant: stream.settings.redundant,
  });
  return { answer, name: file.name, keptName, run, segment, newest, timestampOffsetTicks };
}

/**
 * Requests overtake each other: among the first files one of another variant may come before the one that
 * shows the same time. Another picture, or none, under a name that is made otherwise tells it.
 */
function foreignVariant(
  { name, mayBeVariant, bandwidths }: PushedName,
  bytes: Uint8Array,
  facts: SegmentFacts,
  span: Span,
  run: Run,
  newest: SourceSegment,
  isTogether: boolean,
): 'ignore_variant' | 'switch_variant' | undefined {
  const isFirst = newest.number - run.firstNumber < FIRST_SEGMENTS && mayBeVariant && isTogether;
  const { name: newestName } = newest;
  if (!isFirst || newestName === undefined || mayBeOfOneVariant(name, newestName)) return undefined;
  if (isSamePicture(newest.facts, facts) || !isNear(span, spanOf(newest))) return undefined;
  const isBetter = isBetterVariant(
    variantFacts(name, bytes.byteLength, facts),
    variantFacts(newestName, newest.sizeBytes, newest.facts),
    bandwidths,
  );
  const mayChange = !run.picture || newest.number === run.firstNumber;
  return isBetter && mayChange ? 'switch_variant' : 'ignore_variant';
}

const isSamePicture = (one: SegmentFacts, other: SegmentFacts): boolean =>
  one.video?.widthPx === other.video?.widthPx && one.video?.heightPx === other.video?.heightPx;

/** A few segments ahead or behind. */
function isNear(span: Span, newest: Span): boolean {
  const longest = Math.max(span.endTicks - span.startTicks, newest.endTicks - newest.startTicks);
  return Math.abs(span.startTicks - newest.startTicks) <= 2 * FIRST_SEGMENTS * longest;
}

/** Another size is planned anew. */
const hasPictureOf = ({ picture }: Run, { video }: SegmentFacts): boolean =>
  picture?.widthPx === video?.widthPx && picture?.heightPx === video?.heightPx;

async function runAndNewest(
  { records }: IngestDeps,
  stream: Stream,
  place: Sequencing,
): Promise<[Run | undefined, SourceSegment | undefined]> {
  if (place.type === 'twin' || place.type === 'join') return [place.run, place.newest];
  const run = await records.newestRun(stream);
  if (!run || run.explicit) return [undefined, undefined];
  return [run, await records.newestSegment(stream, run.run)];
}

/** The newest segments, if the file may be another variant of one of them. */
async function mayBeBeside(
  { records }: IngestDeps,
  stream: Stream,
  { name, mayBeVariant }: PushedName,
  run: Run,
  newest: SourceSegment,
): Promise<SourceSegment[]> {
  const isYoung = newest.number - run.firstNumber < FIRST_SEGMENTS;
  const isOther = newest.name !== undefined && !areAlike(name, newest.name);
  if (!(isYoung && mayBeVariant) && !isOther) return [];
  const before = await records.findSegment(stream, run.run, newest.number - 1);
  return before ? [newest, before] : [newest];
}

const variantFacts = (name: string, sizeBytes: number, { video }: SegmentFacts): VariantFacts => ({
  name,
  sizeBytes,
  ...(video && { picture: video }),
});

const spanOf = ({ facts, timestampOffsetTicks }: SourceSegment): Span => ({
  startTicks: facts.startTicks + timestampOffsetTicks,
  endTicks: facts.endTicks + timestampOffsetTicks,
});

/** Whether the upload's variant is in the stream from now on, and the twin's is not. */
export const leavesVariant = ({ answer, name, keptName }: Twin): boolean =>
  answer === 'switch_variant' ||
  ((answer === 'replace' || answer === 'keep_twin') && name !== keptName);

/** A variant that is left out: no fault of an encoder that pushes it, which is told so. */
export class VariantIgnored extends DomainError {
  /** The file of the variant that is kept. */
  readonly keptName: string;
  readonly notice: Notice;

  constructor({ name, keptName, segment }: Twin, { video }: SegmentFacts) {
    super(
      'segment_conflict',
      `"${name}" shows the same time as "${keptName}".`,
      'Push one variant: renditions are made from it.',
    );
    this.keptName = keptName;
    this.notice = !video && segment.facts.video ? soundApart(name) : variantNotice(name);
  }
}

const soundApart = (name: string): Notice => ({
  code: 'track_ignored',
  message: `"${name}" holds sound alone and is not used, as the picture comes in other files: push both in one (ffmpeg: no agroup in -var_stream_map).`,
});

export const variantNotice = (name: string): Notice => ({
  code: 'variant_ignored',
  message: `"${name}" is of another variant of the stream and is not used: renditions are made from one.`,
});

export const replacedNotice = ({ name, keptName, segment }: Twin): Notice => {
  if (name === keptName) {
    return {
      code: 'replaced',
      message: `What came as "${name}" before was not listed yet; this is.`,
    };
  }
  return segment.facts.video ? variantNotice(keptName) : soundApart(keptName);
};

export const keptNotice = ({ keptName }: Twin): Notice => ({
  code: 'kept_listed',
  message: `What came as "${keptName}" before is listed already; these bytes were not taken.`,
});
