/** What the entries export: a handler on the ports that its function has, observed. */

import type { Deps } from '../../lib/pipeline/deps.ts';
import { type ApiHandler, observedApi, observedQueue, type QueueHandler } from './observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, type Parts } from './ports.ts';

export const apiFunction = (make: (deps: Deps) => ApiHandler, parts: Parts) =>
  observedApi(make(functionDeps(parts)));

/** One that compares keys: it knows the owner key before each invocation begins. */
export function keyedFunction(make: (deps: Deps) => ApiHandler, parts: Parts) {
  const ownerKey = ownerKeyFromSecret();
  return observedApi(make(functionDeps({ ...parts, ownerKey })), ownerKey.refresh);
}

export const queueFunction = (
  make: (deps: Deps) => QueueHandler,
  parts: Parts,
  after?: Parameters<typeof observedQueue>[1],
) => observedQueue(make(functionDeps(parts)), after);
