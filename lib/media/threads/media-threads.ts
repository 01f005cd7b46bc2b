/** The two pools of a process that serves. They are apart, so that no viewer takes a thread from an encoder. */

import { totalmem } from 'node:os';
import { extname } from 'node:path';
import type { InspectionTasks } from './inspection-thread.ts';
import type { RemuxTasks } from './remux-thread.ts';
import { ThreadPool, type ThreadPoolOptions, taskLimits } from './thread-pool.ts';

/** As source beside this file; bundles have both as `.mjs`, in one folder. */
const moduleOf = (name: 'inspection' | 'remux'): URL =>
  new URL(`./${name}-thread${extname(import.meta.url)}`, import.meta.url);

/** Nothing is lost while a viewer waits. */
const VIEWER_WAIT_MS = 15_000;

/** Of the container, where one limits it. */
const MACHINE_BYTES = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

type Report = ThreadPoolOptions['report'];

const limitsOn = (machineBytes: number): Pick<ThreadPoolOptions, 'limits'> => ({
  limits: (sizeBytes) => taskLimits(sizeBytes, machineBytes),
});

/** `machineBytes`: the function's memory, if it is one. */
export const inspectionThreads = (
  report: Report,
  machineBytes = MACHINE_BYTES,
): ThreadPool<InspectionTasks> =>
  new ThreadPool({ module: moduleOf('inspection'), report, ...limitsOn(machineBytes) });

/** `machineBytes`: the function's memory, if it is one. */
export const remuxThreads = (
  report: Report,
  machineBytes = MACHINE_BYTES,
): ThreadPool<RemuxTasks> =>
  new ThreadPool({
    module: moduleOf('remux'),
    maxWaitMs: VIEWER_WAIT_MS,
    report,
    ...limitsOn(machineBytes),
  });
