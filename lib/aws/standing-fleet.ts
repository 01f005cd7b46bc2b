/** Workers that somebody starts by hand, where there is no ECS: they make themselves known. */

import type { Clock, StreamIndex, WorkerFleet } from '../pipeline/ports.ts';

const PARTITION = 'fleet/standing';
const SIGN_MS = 10_000;
/** A sign that is so old is that of a worker which is no more. */
const SILENT_MS = 30_000;

type Surroundings = Readonly<{ index: StreamIndex; clock: Clock }>;

type Sign = Readonly<{ atMs: number }>;

/** Counts the workers that are there; it cannot start any. */
export const standingFleet = ({ index, clock }: Surroundings): WorkerFleet => ({
  async count() {
    const signs = await index.query(PARTITION);
    const oldestMs = clock.now() - SILENT_MS;
    const running = signs.filter(({ value }) => (value as Sign).atMs >= oldestMs).length;
    return { desired: running, running };
  },
});

export type Presence = Readonly<{ leave(): Promise<void> }>;

/** Makes a worker known until it leaves. */
export async function joinStandingFleet(
  { index, clock }: Surroundings,
  worker: string,
  report: (error: unknown, what: string) => void,
): Promise<Presence> {
  const sign = async (): Promise<void> => {
    const value: Sign = { atMs: clock.now() };
    const expiresAtMs = value.atMs + SILENT_MS;
    await index.write([{ type: 'put', partition: PARTITION, sort: worker, value, expiresAtMs }]);
  };
  await sign();
  const timer = setInterval(() => {
    sign().catch((error) => report(error, 'making this worker known'));
  }, SIGN_MS);
  return {
    async leave() {
      clearInterval(timer);
      await index.write([{ type: 'delete', partition: PARTITION, sort: worker }]);
    },
  };
}
