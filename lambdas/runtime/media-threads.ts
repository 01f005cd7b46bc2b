/** The threads of a function that reads or joins segments. They start beside its first waits for the network. */

import { reportError } from '../../lib/base/log.ts';
import type { Deps } from '../../lib/pipeline/deps.ts';
import { afterStart } from './after-start.ts';

const MEMORY_BYTES = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) * 2 ** 20 || undefined;

export function inspection(): Deps['inspection'] {
  const pool = afterStart(async () => {
    const { inspectionThreads } = await import('../../lib/media/threads/media-threads.ts');
    const threads = inspectionThreads(reportError, MEMORY_BYTES);
    threads.warmUp();
    return threads;
  });
  return { run: (...task) => pool.then((threads) => threads.run(...task)) };
}

/** Most files are there when they are asked for: the thread starts when one is not. */
export function remuxing(): Deps['remuxing'] {
  const load = () => import('../../lib/media/threads/media-threads.ts');
  let pool: Promise<Deps['remuxing']> | undefined;
  return {
    run: (...task) => {
      pool ??= load().then(({ remuxThreads }) => remuxThreads(reportError, MEMORY_BYTES));
      return pool.then((threads) => threads.run(...task));
    },
  };
}
