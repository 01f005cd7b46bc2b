/** A worker process of the embedded engine: takes jobs until it is asked to stop. */

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reportError } from '../../lib/base/log.ts';
import { pause } from '../../lib/base/retry.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { workerConfig } from '../../lib/embedded/embedded-config.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { whereStorable } from '../../lib/embedded/storage-fault.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { startWorker } from '../../lib/pipeline/jobs/worker.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';

const ROOM_OF_A_JOB_BYTES = 16 * 1024 * 1024;
const FULL_PAUSE_MS = 1_000;

/** Of the ten seconds that the whole system has to end. */
const DRAIN_MS = 6_000;

if (process.env.FFMPEG) useFfmpeg(process.env.FFMPEG);
const config = workerConfig(process.env);
const folder = openDataFolder(config.dataPath);
const ports = embeddedPorts(folder);
const workFolder = join(folder.tmp, `worker-${process.pid}`);
whereStorable(() => mkdirSync(workFolder, { recursive: true }));

/** A job that fails is tried some times, and then its segment is a gap: none is begun without room. */
const whereThereIsRoom = (queue: WorkQueue): WorkQueue => ({
  ...bound(queue),
  receive: async (options) => {
    const isFull = (await ports.room.freeBytes()) < ROOM_OF_A_JOB_BYTES;
    if (!isFull && !(await ports.room.fault())) return queue.receive(options);
    await pause(Math.min(options.waitMs, FULL_PAUSE_MS), options.signal);
    return [];
  },
});

const bound = (queue: WorkQueue): WorkQueue => ({
  send: (messages) => queue.send(messages),
  receive: (options) => queue.receive(options),
  extend: (receipt, leaseMs) => queue.extend(receipt, leaseMs),
  acknowledge: (receipts) => queue.acknowledge(receipts),
  release: (receipt, delayMs) => queue.release(receipt, delayMs),
  depth: () => queue.depth(),
});

const worker = startWorker({
  deps: {
    ...withRecords(ports),
    queues: forEachQueue((name) => whereThereIsRoom(ports.queues[name])),
  },
  concurrency: config.jobs,
  workFolder,
  report: reportError,
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await worker.stop(DRAIN_MS);
    ports.close();
    await rm(workFolder, { recursive: true, force: true });
    process.exit(0);
  });
}
