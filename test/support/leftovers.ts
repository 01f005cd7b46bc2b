/** Finds processes that a test started and did not end. On Linux; elsewhere it finds none. */

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Environment variable that says which test file a process descends from. */
export const MARK = 'TEST_FILE_MARK';

const POLL_MS = 500;

/** Browsers need a moment to end all their processes. */
const GRACE_MS = 3_000;

type MarkedProcess = Readonly<{ pid: number; parent: number; command: string }>;

/** Every process whose mark begins with `mark`. */
export function markedProcesses(mark: string): MarkedProcess[] {
  return processIds().flatMap((pid) => {
    const environment = readProc(pid, 'environ');
    if (!environment?.split('\0').some((line) => line.startsWith(`${MARK}=${mark}`))) return [];
    // The command's name stands in brackets and may hold spaces and brackets itself.
    const [state, parent] = readProc(pid, 'stat')?.split(') ').at(-1)?.split(' ') ?? [];
    if (parent === undefined || state === 'Z') return [];
    const command = readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim() ?? '';
    return [{ pid, parent: Number(parent), command }];
  });
}

export function killMarked(mark: string): void {
  for (const { pid } of markedProcesses(mark)) kill(pid);
}

/**
 * From when the marked child of this process is gone, its descendants have a moment to go too; then
 * they are killed. `end` answers the commands of those.
 */
export function watchLeftovers(mark: string): Readonly<{ end(): Promise<string[]> }> {
  const killed = new Map<number, string>();
  const ended = new AbortController();
  const sweep = async (): Promise<void> => {
    let aloneSinceMs: number | undefined;
    for (;;) {
      const alive = markedProcesses(mark);
      const orphaned = alive.length > 0 && !alive.some(({ parent }) => parent === process.pid);
      if (alive.length === 0 && ended.signal.aborted) return;
      if (!orphaned) aloneSinceMs = undefined;
      else if (aloneSinceMs === undefined) aloneSinceMs = Date.now();
      else if (Date.now() - aloneSinceMs > GRACE_MS) {
        for (const { pid, command } of alive) {
          killed.set(pid, command);
          kill(pid);
        }
      }
      const pause = ended.signal.aborted ? undefined : ended.signal;
      await delay(pause ? POLL_MS : 50, undefined, pause ? { signal: pause } : {}).catch(() => {});
    }
  };
  const done = sweep();
  return {
    async end() {
      ended.abort();
      await done;
      return [...killed.values()];
    },
  };
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** undefined for a process that ended meanwhile or belongs to someone else. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
