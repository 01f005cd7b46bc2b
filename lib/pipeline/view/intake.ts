/** What has come in of a stream and is not shown yet: whether its encoder sends, and whether the workers keep up. */

import type { StreamView } from '../../api/messages.ts';
import type { Stream } from '../../domain/stream.ts';
import { isEndShown, type SegmentHops, type TimelineState } from '../../domain/timeline.ts';
import type { Deps } from '../deps.ts';

export type Intake = Pick<
  StreamView,
  'serverTime' | 'newestUploadAt' | 'waitingSegments' | 'waitingSince' | 'newestHops'
>;

/** Of each run; more than that many waiting segments are not counted. */
const READ_AHEAD = 50;

/** Empty when nothing was uploaded, and when viewers have been shown the end. */
export async function intakeOf(
  { records, clock }: Pick<Deps, 'records' | 'clock'>,
  stream: Stream,
  timeline: TimelineState,
): Promise<Intake> {
  const nowMs = clock.now();
  if (isEndShown(timeline, nowMs)) return {};
  const newestRun = await records.newestRun(stream);
  if (!newestRun) return {};
  const unfinished = async (run: number, from: number) => {
    const [numbers, outcomes] = await Promise.all([
      records.numbersFrom(stream, run, from, READ_AHEAD),
      records.outcomesFrom(stream, run, from, READ_AHEAD),
    ]);
    const finished = new Set(outcomes.map(({ number }) => number));
    return numbers.filter((number) => !finished.has(number)).map((number) => ({ run, number }));
  };
  const { run, nextNumber = 0 } = timeline;
  const [newest, ...waiting] = await Promise.all([
    records.newestSegment(stream, newestRun.run),
    ...(run > 0 ? [unfinished(run, nextNumber)] : []),
    ...(run === newestRun.run ? [] : [unfinished(newestRun.run, 0)]),
  ]);
  const segments = waiting.flat();
  const [first] = segments;
  const oldest = first && (await records.findSegment(stream, first.run, first.number));
  return {
    serverTime: new Date(nowMs).toISOString(),
    ...(newest && { newestUploadAt: new Date(newest.uploadedAtMs).toISOString() }),
    waitingSegments: segments.length,
    ...(oldest && { waitingSince: new Date(oldest.uploadedAtMs).toISOString() }),
    ...(timeline.newestHops && { newestHops: hopSeconds(timeline.newestHops) }),
  };
}

function hopSeconds(hops: SegmentHops): NonNullable<StreamView['newestHops']> {
  const { recordedAtMs, uploadedAtMs, startedAtMs = uploadedAtMs } = hops;
  const { transcodedAtMs, listedAtMs } = hops;
  const seconds = (fromMs: number, toMs: number): number => Math.max(0, toMs - fromMs) / 1000;
  return {
    upload: seconds(recordedAtMs, uploadedAtMs),
    queue: seconds(uploadedAtMs, startedAtMs),
    transcode: seconds(startedAtMs, transcodedAtMs),
    list: seconds(transcodedAtMs, listedAtMs),
  };
}
