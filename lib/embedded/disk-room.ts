/** Whether the disk of the data folder takes data, and a reserve for a start on a full one. */

import { randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type StorageFault, storageFault } from './storage-fault.ts';

const PROBE_BYTES = 64 * 1024;
/** A probe answers for so long: everybody may ask for the server's health. */
const PROBE_VALID_MS = 1_000;
/** What the databases need to be opened, and some uploads beside. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** A disk with less room than so many reserves keeps none. */
const MIN_FREE_RESERVES = 4;

export type DiskRoom = Readonly<{
  /** What keeps the disk from taking data; undefined if nothing does. */
  fault(): Promise<StorageFault | undefined>;
  /** Bytes that the user of this process may still write. */
  freeBytes(): Promise<number>;
}>;

/** Of the disk that holds this folder. */
export function diskRoom(folder: string): DiskRoom {
  let last = {
    atMs: Number.NEGATIVE_INFINITY,
    fault: Promise.resolve<StorageFault | undefined>(undefined),
  };
  return {
    fault() {
      const nowMs = performance.now();
      if (nowMs - last.atMs >= PROBE_VALID_MS) last = { atMs: nowMs, fault: probe(folder) };
      return last.fault;
    },
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

/** Writes, as quotas and read-only disks do not show otherwise. */
async function probe(folder: string): Promise<StorageFault | undefined> {
  const path = join(folder, `probe-${randomUUID()}`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(new Uint8Array(PROBE_BYTES));
      await file.datasync();
    } finally {
      await file.close();
    }
    return undefined;
  } catch (error) {
    return asFault(error);
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

/**
 * Before anything is opened in the folder. On a disk with room a reserve of 4 MiB is made; on a full one
 * it is given up, so that the databases can be opened and recordings be watched.
 */
export function keepReserve(folder: string): void {
  const path = join(folder, 'reserve');
  if (!takesData(folder)) {
    rmSync(path, { force: true });
    return;
  }
  if (existsSync(path)) return;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < MIN_FREE_RESERVES * RESERVE_BYTES) return;
  try {
    // Random, as file systems that compress would keep no room for zeros.
    writeWhole(path, randomBytes(RESERVE_BYTES));
  } catch (error) {
    asFault(error);
    rmSync(path, { force: true });
  }
}

function takesData(folder: string): boolean {
  const path = join(folder, `probe-${randomUUID()}`);
  try {
    writeWhole(path, new Uint8Array(PROBE_BYTES));
    unlinkSync(path);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    asFault(error);
    return false;
  }
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function asFault(error: unknown): StorageFault {
  const fault = storageFault(error);
  if (!fault) throw error;
  return fault;
}
