/** A gateway on an engine of its own, in this process, whose inspection spins on bodies that say so. */

import { routesOf } from '../../bin/serve/running-system.ts';
import { reportError } from '../../lib/base/log.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import type { InspectionTasks } from '../../lib/media/threads/inspection-thread.ts';
import { ThreadPool } from '../../lib/media/threads/thread-pool.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { OWNER_KEY, testEngine } from './engine.ts';
import type { Scope } from './system.ts';

const GIGABYTE = 1 << 30;
/** Bodies of less than so many bytes have a short deadline, the others a long one. */
const SHORT_BODY = 60;

/** A body that spins until its deadline, or until there is a file at the path. */
export const spinning = (path: string, deadline: 'short' | 'long'): string =>
  `spin until there is ${deadline === 'long' ? path.padStart(SHORT_BODY, '/') : path}`;

export const startHostileGateway = (t: Scope) => startGateway(t, hostileInspection());

const hostileInspection = () =>
  new ThreadPool<InspectionTasks>({
    module: new URL('./spinning-inspection-thread.ts', import.meta.url),
    report: reportError,
    threads: 2,
    maxWaitMs: 120_000,
    limits: (bytes) => ({ timeMs: bytes < SHORT_BODY ? 500 : 120_000, memoryBytes: GIGABYTE }),
  });

export async function startGateway(t: Scope, inspection: Deps['inspection']) {
  const engine = await testEngine(t, { realTime: true });
  const deps = { ...engine.deps, inspection };
  const routes = routesOf(deps);
  const gateway = new Gateway({ routes, mounts: [], report: reportError });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(() => gateway.close(0));
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, init);
  const upload = (stream: string, number: number, body: Uint8Array<ArrayBuffer> | string) =>
    request(`/upload/${stream}?segment=${number}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      body,
    });
  return { deps, request, upload };
}
