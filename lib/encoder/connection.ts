/** Captures what one connection to a source brings, or a whole file, as one session. */

import { addAbortListener } from 'node:events';
import { defined } from '../base/defined.ts';
import { type CaptureOptions, startCapture } from './capture.ts';
import { SOURCE_ENDED } from './feed.ts';
import type { EncodePlan } from './plan.ts';
import type { Connection } from './reopening.ts';
import type { Source } from './source.ts';

export type ConnectionOptions = Pick<CaptureOptions, 'tools' | 'folder' | 'onSegment' | 'admit'> &
  Readonly<{
    source: Source;
    plan: EncodePlan;
    /** `--copy`: its keyframes may be far apart. */
    forcedCopy: boolean;
    remainingSeconds: number;
    /** When the source was opened, by `performance.now()`. */
    openedMs: number;
    /** Aborted: what was begun is the last. */
    finish: AbortSignal;
    /** Aborted: nothing is waited for any more. */
    stopped: AbortSignal;
  }>;

/** What a camera may send at once when it is opened, and more. */
const MOST_AHEAD_SECONDS = 15;
/** Nothing that is shorter than a picture is sent; its length is an average. */
const LEAST_TAIL_SECONDS = 0.001;
const ALMOST = 0.75;
const STALL_MS = { usual: 20_000, forcedCopy: 60_000, perSegmentSecond: 10_000 } as const;

export async function captureConnection(options: ConnectionOptions): Promise<Connection> {
  const { source, plan, finish, stopped, remainingSeconds, openedMs } = options;
  const { feed, segmentSeconds, frameSeconds = 0 } = plan;
  const isFile = plan.resumableSession !== undefined;
  const limitSeconds = remainingSeconds + plan.leadSeconds;
  const isLimited = Number.isFinite(limitSeconds);
  let seconds = 0;
  let clockIsTrue = true;
  /** A tail before a connection that is opened again is no end: the viewer gets nothing from it. */
  const isEnd = (): boolean =>
    !source.restartable || finish.aborted || feed?.ending() === undefined;

  const capture = await startCapture({
    tools: options.tools,
    inputArguments: plan.inputArguments,
    codecArguments: [...plan.codecArguments, ...(isLimited ? ['-t', String(limitSeconds)] : [])],
    segmentSeconds,
    folder: options.folder,
    stdin: plan.stdin,
    stallMs: source.endless ? stallMs(segmentSeconds, options.forcedCopy) : undefined,
    keepsTail: (tailSeconds) =>
      isFile || (isEnd() && tailSeconds >= Math.max(LEAST_TAIL_SECONDS, ALMOST * frameSeconds)),
    onSegment: ({ number, durationSeconds = 0, path }) => {
      // More media than time: in this segment the source's clock was set forward. The server measures it.
      const most = (performance.now() - openedMs) / 1000 + MOST_AHEAD_SECONDS;
      const stepped = source.endless && seconds + durationSeconds > most;
      clockIsTrue &&= !stepped;
      seconds += stepped ? segmentSeconds : durationSeconds;
      const known = !stepped && durationSeconds > 0;
      return options.onSegment({ number, path, ...(known && { durationSeconds }) });
    },
    admit: options.admit,
  });
  // The run that resumes a file cuts it again: a shortened last segment would differ from that one.
  const listeners = [
    addAbortListener(finish, () => (isFile ? capture.kill() : capture.finish())),
    addAbortListener(stopped, () => capture.kill()),
  ];
  const end = await capture.done;
  for (const listener of listeners) listener[Symbol.dispose]();
  const ending = feed?.ending();
  await feed?.close();
  const failure = end.failure ?? (ending === SOURCE_ENDED ? undefined : ending);
  // Of what ends by itself, only a feed tells whether it did.
  const wasCutOff =
    source.kind === 'device' || (feed !== undefined && ending === undefined && clockIsTrue);
  const reached = isLimited && !end.stopped && failure === undefined && wasCutOff;
  return { segments: end.segments, seconds, reached, ...defined({ failure }) };
}

const stallMs = (segmentSeconds: number, forcedCopy: boolean): number =>
  Math.max(
    STALL_MS[forcedCopy ? 'forcedCopy' : 'usual'],
    STALL_MS.perSegmentSecond * segmentSeconds,
  );
