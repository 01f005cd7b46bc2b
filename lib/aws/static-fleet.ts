/** Workers that are started by hand, where there is no ECS: each registers itself while it runs. */

import type { Clock, RecordStore, StaticFleet } from '../ports/ports.ts';

const PARTITION = 'fleet/standing';
const HEARTBEAT_MS = 10_000;
/** A worker whose heartbeat is older has died. */
const SILENT_MS = 30_000;

type FleetDeps = Readonly<{ store: RecordStore; clock: Clock }>;

type Registration = Readonly<{ atMs: number }>;

/** Counts the registered workers; it cannot start any. */
export const staticFleet = ({ store, clock }: FleetDeps): StaticFleet => ({
  type: 'static',
  async count() {
    const registrations = await store.query(PARTITION);
    // Also none from further ahead: the clock was set back since.
    const isAlive = (atMs: number) => Math.abs(clock.now() - atMs) <= SILENT_MS;
    const running = registrations.filter(({ value }) =>
      isAlive((value as Registration).atMs),
    ).length;
    return { desired: running, running };
  },
});

export type WorkerRegistration = Readonly<{ leave(): Promise<void> }>;

/** Registers a worker until it leaves. */
export async function registerWorker(
  { store, clock }: FleetDeps,
  worker: string,
  report: (error: unknown, what: string) => void,
): Promise<WorkerRegistration> {
  const heartbeat = async (): Promise<void> => {
    const value: Registration = { atMs: clock.now() };
    const expiresAtMs = value.atMs + SILENT_MS;
    await store.write([{ type: 'put', partition: PARTITION, sort: worker, value, expiresAtMs }]);
  };
  await heartbeat();
  const timer = setInterval(() => {
    heartbeat().catch((error) => report(error, 'registering this worker'));
  }, HEARTBEAT_MS);
  return {
    async leave() {
      clearInterval(timer);
      await store.write([{ type: 'delete', partition: PARTITION, sort: worker }]);
    },
  };
}
