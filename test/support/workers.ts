/** The worker processes of a running system, as the operating system sees them. */

import { readFile } from 'node:fs/promises';
import type { TestSystem } from './system.ts';

/** Leaving ones included. */
export async function workerPids({ process }: TestSystem): Promise<number[]> {
  const { pid } = process;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = children.trim().split(' ').filter(Boolean).map(Number);
  const areWorkers = await Promise.all(pids.map(isWorker));
  return pids.filter((_, index) => areWorkers[index]);
}

async function isWorker(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('bin/serve/local-worker.ts');
}
