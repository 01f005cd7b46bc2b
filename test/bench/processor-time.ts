/** Processor time as Linux counts it, which other work on the machine hardly changes. */

import { readdir, readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/** User and system time in seconds: of a process, of those that it has started, and of theirs, ended or not. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  // It has ended: its parent counts it.
  if (stat === undefined) return 0;
  const fields = stat
    .replace(/^.*\) /, '')
    .split(' ')
    .map(Number);
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
  const children = await childrenOf(pid);
  const theirs = await Promise.all(children.map(processorSeconds));
  return theirs.reduce((sum, seconds) => sum + seconds, own);
}

/** Whichever of its threads has started them. */
async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task`;
  const threads = await readdir(path).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`${path}/${thread}/children`, 'latin1').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
