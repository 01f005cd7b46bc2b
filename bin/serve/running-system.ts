/** Common to both systems that serve from this machine: on local files, and on AWS. */

import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { apiHandlers } from '../../lambdas/api/handlers.ts';
import type { QueueHandler } from '../../lambdas/queue/handlers.ts';
import { ROUTES, type RouteName } from '../../lib/api/routes.ts';
import { reportError } from '../../lib/base/log.ts';
import type { Gateway } from '../../lib/embedded/gateway.ts';
import { QueuePoller, type QueuePollerOptions } from '../../lib/embedded/queue-poller.ts';
import { inspectionThreads, remuxThreads } from '../../lib/media/threads/media-threads.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';

export type RunningSystem = Readonly<{
  address: AddressInfo;
  ownerKey: string;
  /** Where the owner finds the key: completes "it is …". */
  ownerKeyPlace: string;
  /** Finishes what is in progress and ends, within ten seconds. Resolves to the parts that did not. */
  stop(): Promise<readonly string[]>;
}>;

/** Of those ten seconds. */
export const REQUESTS_GRACE_MS = 3_000;
export const WORKERS_GRACE_MS = 8_000;
export const STOP_WITHIN_MS = 9_000;

/** The first upload finds a thread that waits. */
export function mediaThreads(): Pick<Deps, 'inspection' | 'remuxing'> {
  const inspection = inspectionThreads(reportError);
  inspection.warmUp();
  return { inspection, remuxing: remuxThreads(reportError) };
}

type Routes = ConstructorParameters<typeof Gateway>[0]['routes'];

export function routesOf(deps: Deps, pagesFolder?: string): Routes {
  const pages =
    pagesFolder === undefined
      ? undefined
      : (name: string) => readFile(join(pagesFolder, `${name}.html`), 'utf8');
  const handlers = apiHandlers(deps, pages);
  return Object.entries(ROUTES).map(([name, route]) => {
    const handler = handlers[name as RouteName];
    const { refusal } = handler;
    return { ...route, handler, ...(refusal && { refusal }) };
  });
}

export const pollQueue = (
  name: string,
  queue: WorkQueue,
  handler: QueueHandler,
  consumer: Partial<Pick<QueuePollerOptions, 'batchSize' | 'concurrentBatches'>> = {},
): QueuePoller => new QueuePoller({ name, queue, handler, report: reportError, ...consumer });
