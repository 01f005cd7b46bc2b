/** The heartbeat file: touched as long as the worker reaches its queues. */

import { writeFile } from 'node:fs/promises';
import type { WorkQueue } from '../../lib/ports/ports.ts';

/** In the temporary folder; the image's health check tests its age. */
export const HEARTBEAT_FILE = 'alive';

/** For the container's health check: ECS takes it from the task definition, not from the image. */
export const HEALTH_COMMAND = `find "$TMPDIR/${HEARTBEAT_FILE}" -mmin -2 | grep -q .`;

const TOUCH_MS = 10_000;
/** The file must appear before the first job comes. */
const WAIT_MS = 2_000;

/** The same queue; each call that succeeds touches the file. */
export function withHeartbeatFile(
  queue: WorkQueue,
  path: string,
  report: (error: unknown, what: string) => void,
): WorkQueue {
  let touchedAtMs = Number.NEGATIVE_INFINITY;
  const touch = <T>(result: T): T => {
    const nowMs = performance.now();
    if (nowMs - touchedAtMs >= TOUCH_MS) {
      touchedAtMs = nowMs;
      writeFile(path, '').catch((error) => report(error, 'touching the heartbeat file'));
    }
    return result;
  };
  return {
    send: (messages) => queue.send(messages),
    receive: ({ waitMs, ...options }) =>
      queue.receive({ ...options, waitMs: Math.min(waitMs, WAIT_MS) }).then(touch),
    extend: (receipt, leaseMs) => queue.extend(receipt, leaseMs).then(touch),
    acknowledge: (receipts) => queue.acknowledge(receipts),
    release: (receipt, delayMs) => queue.release(receipt, delayMs),
    depth: () => queue.depth(),
  };
}
