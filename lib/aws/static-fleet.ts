/** Workers that somebody starts by hand, where there is no ECS: they make themselves known. */

import type { Clock, RecordStore, WorkerFleet } from '../pipeline/ports.ts';

const PARTITION = 'fleet/standing';
const SIGN_MS = 10_000;
/** A sign that is so old is that of a worker which is no more. */
const SILENT_MS = 30_000;

type Surroundings = Readonly<{ store: RecordStore; clock: Clock }>;

type Sign = Readonly<{ atMs: number }>;

/** Counts the workers that are there; it cannot start any. */
export const staticFleet = ({ store, clock }: Surroundings): WorkerFleet => ({
  async count() {
    const signs = await store.query(PARTITION);
    const oldestMs = clock.now() - SILENT_MS;
    const running = signs.filter(({ value }) => (value as Sign).atMs >= oldestMs).length;
    return { desired: running, running };
  },
});

export type WorkerRegistration = Readonly<{ leave(): Promise<void> }>;

/** Makes a worker known until it leaves. */
export async function registerWorker(
  { store, clock }: Surroundings,
  worker: string,
  report: (error: unknown, what: string) => void,
): Promise<WorkerRegistration> {
  const sign = async (): Promise<void> => {
    const value: Sign = { atMs: clock.now() };
    const expiresAtMs = value.atMs + SILENT_MS;
    await store.write([{ type: 'put', partition: PARTITION, sort: worker, value, expiresAtMs }]);
  };
  await sign();
  const timer = setInterval(() => {
    sign().catch((error) => report(error, 'making this worker known'));
  }, SIGN_MS);
  return {
    async leave() {
      clearInterval(timer);
      await store.write([{ type: 'delete', partition: PARTITION, sort: worker }]);
    },
  };
}
