/** Segments as the upload records them and workers settle them, without any media. */

import type { RenderedOutcome, SegmentOutcome, SourceSegment } from '../../lib/domain/segment.ts';
import type { Run, Stream } from '../../lib/domain/stream.ts';
import { type ListedSegment, publishStream } from '../../lib/pipeline/publish/publish.ts';
import type { TestEngine } from './engine.ts';

export const SEGMENT_TICKS = 360_000;
const FIRST_TICKS = 900_000;

const RUNGS = { '720p': 720, '360p': 360 } as const;
export type RungName = keyof typeof RUNGS;

/** Acknowledges segment `number` of `run`, and with the first the run itself. */
export async function acknowledge(
  { records, clock }: TestEngine,
  stream: Stream,
  run: number,
  number: number,
): Promise<void> {
  const segment: SourceSegment = {
    run,
    number,
    digest: `digest-${run}-${number}`,
    sizeBytes: 1000,
    sourceKey: `source/${number}.ts`,
    facts: {
      container: 'ts',
      audio: [],
      startTicks: number * SEGMENT_TICKS,
      endTicks: (number + 1) * SEGMENT_TICKS,
    },
    preroll: [],
    timestampOffsetTicks: FIRST_TICKS,
    uploadedAtMs: clock.nowMs,
  };
  const known = await records.getRun(stream, run);
  const first: Run = {
    run,
    session: `session-${run}`,
    explicit: true,
    firstNumber: number,
    createdAtMs: clock.nowMs,
    anchorTicks: FIRST_TICKS + number * SEGMENT_TICKS,
    anchorMs: clock.nowMs,
    audio: [],
  };
  await records.recordSegment(stream, segment, known ? undefined : { run: first });
}

/** A worker has made these rungs of it. */
export async function settle(
  engine: TestEngine,
  stream: Stream,
  run: number,
  number: number,
  rungs: readonly RungName[] = ['720p', '360p'],
  {
    startedAtMs,
    publishAfterMs = 0,
    keyframeBytes,
    ...more
  }: Readonly<{ startedAtMs?: number; publishAfterMs?: number; keyframeBytes?: number }> &
    Pick<RenderedOutcome, 'poster' | 'sourceBytes' | 'thumbnails'> = {},
): Promise<readonly ListedSegment[]> {
  const outcome: SegmentOutcome = {
    type: 'rendered',
    run,
    number,
    startTicks: FIRST_TICKS + number * SEGMENT_TICKS,
    durationTicks: SEGMENT_TICKS,
    renditions: Object.fromEntries(
      rungs.map((name) => [
        name,
        {
          key: `media/v/${name}/${run}-${number}.m4s`,
          initKey: `media/v/${name}/init.mp4`,
          sizeBytes: 1000 * RUNGS[name],
          ...(keyframeBytes === undefined ? {} : { keyframeBytes }),
        },
      ]),
    ),
    catalogue: Object.fromEntries(
      rungs.map((name) => [
        name,
        {
          kind: 'video' as const,
          codecString: 'avc1.64001f',
          widthPx: (RUNGS[name] * 16) / 9,
          heightPx: RUNGS[name],
          framesPerSecond: 30,
        },
      ]),
    ),
    uploadedAtMs:
      (await engine.records.findSegment(stream, run, number))?.uploadedAtMs ?? Number.NaN,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    completedAtMs: engine.clock.nowMs,
    ...more,
  };
  await engine.records.recordOutcome(stream, outcome);
  engine.clock.nowMs += publishAfterMs;
  return publish(engine, stream, { run, number });
}

export async function publish(
  { deps }: TestEngine,
  { videoId, uid }: Stream,
  completed?: Readonly<{ run: number; number: number }>,
): Promise<readonly ListedSegment[]> {
  return publishStream(deps, { videoId, uid, ...(completed ? { completed } : {}) });
}
