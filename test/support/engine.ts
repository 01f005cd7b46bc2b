/** A pipeline on an embedded engine in a temporary folder, with a clock that the test sets. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { hashKey } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import type { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import type { WorkerFleet } from '../../lib/ports/ports.ts';
import { MEDIA_THREADS } from './media-threads.ts';
import type { Scope } from './system.ts';

export const OWNER_KEY = 'owner-key-of-the-tests';
export const START_MS = Date.parse('2026-01-01T00:00:00.000Z');

export type TestEngine = Readonly<{
  deps: Deps;
  records: StreamRecords;
  workFolder: string;
  clock: { nowMs: number };
}>;

export type TestEngineOptions = Readonly<{
  /** The clock runs by itself, for what waits on queues. */
  realTime?: boolean;
  fleet?: WorkerFleet;
}>;

const ONE_WORKER: WorkerFleet = { type: 'static', count: async () => ({ desired: 1, running: 1 }) };

export async function testEngine(
  t: Scope,
  { realTime = false, fleet = ONE_WORKER }: TestEngineOptions = {},
): Promise<TestEngine> {
  const path = await mkdtemp(join(tmpdir(), 'rivulet-test-'));
  const folder = openDataFolder(path);
  const clock = { nowMs: START_MS, now: () => (realTime ? Date.now() : clock.nowMs) };
  const ports = embeddedPorts(folder, { clock, fleet });
  t.after(async () => {
    ports.close();
    await rm(path, { recursive: true, force: true });
  });
  const deps = { ...withRecords(ports), ...MEDIA_THREADS, ownerKeyHash: hashKey(OWNER_KEY) };
  return { deps, records: deps.records, workFolder: folder.tmp, clock };
}
