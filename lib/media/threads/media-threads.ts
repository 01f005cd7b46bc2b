/** The two pools of a process that serves. They are apart, so that no viewer takes a thread from an encoder. */

import { extname } from 'node:path';
import type { InspectionTasks } from './inspection-thread.ts';
import type { RemuxTasks } from './remux-thread.ts';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.ts';

/** As source beside this file; bundles have both as `.mjs`, in one folder. */
const moduleOf = (name: 'inspection' | 'remux'): URL =>
  new URL(`./${name}-thread${extname(import.meta.url)}`, import.meta.url);

/** Nothing is lost while a viewer waits. */
const VIEWER_WAIT_MS = 15_000;

type Report = ThreadPoolOptions['report'];

export const inspectionThreads = (report: Report): ThreadPool<InspectionTasks> =>
  new ThreadPool({ module: moduleOf('inspection'), report });

export const remuxThreads = (report: Report): ThreadPool<RemuxTasks> =>
  new ThreadPool({ module: moduleOf('remux'), maxWaitMs: VIEWER_WAIT_MS, report });
