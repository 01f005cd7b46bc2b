/** Whether every part that the pipeline rests on answers. */

import type { Deps } from '../deps.ts';

export type Health = Readonly<{
  ready: boolean;
  /** 'ok', or what is wrong with it. */
  parts: Readonly<Record<'media' | 'index' | 'queues' | 'workers', string>>;
}>;

export async function checkHealth(deps: Deps): Promise<Health> {
  const check = async (probe: () => Promise<string | undefined>): Promise<string> => {
    try {
      return (await probe()) ?? 'ok';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const [media, index, queues, workers] = await Promise.all([
    check(async () => {
      await deps.media.head('health/probe');
      return deps.storageFault?.();
    }),
    check(async () => void (await deps.store.get('health', 'probe'))),
    check(async () => void (await deps.queues.liveJobs.depth())),
    check(async () => {
      const { running } = await deps.fleet.count();
      return running > 0 || deps.fleet.type === 'scalable' ? undefined : 'no worker is running';
    }),
  ]);
  const parts = { media, index, queues, workers };
  return { ready: Object.values(parts).every((state) => state === 'ok'), parts };
}
