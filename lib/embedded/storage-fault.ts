/** What a disk refuses, in words that its owner can act on: full, over quota, read-only, broken. */

import { DomainError } from '../domain/errors.ts';
import { errorCode } from './error-code.ts';

const REASONS = {
  ENOSPC: "The server's disk is full.",
  EDQUOT: "The server's quota of disk space is used up.",
  EROFS: "The server's disk is read-only.",
  EIO: "The server's disk reports errors.",
} as const;

/** Primary result codes of SQLite. */
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;

/** Nothing was stored; the same request succeeds when the disk takes data again. */
export class StorageFault extends DomainError {
  /** Every request meets it while it lasts: one line in the log in so long is enough. */
  readonly logIntervalMs = 30_000;

  constructor(reason: keyof typeof REASONS, cause: unknown) {
    super(
      'insufficient_storage',
      REASONS[reason],
      'Make room on the disk of the data folder; what was acknowledged is kept, so send the rest again.',
    );
    this.cause = cause;
  }
}

/** undefined: the error is of another kind. */
export function storageFault(error: unknown): StorageFault | undefined {
  if (error instanceof StorageFault) return error;
  const code = sqliteReason(error) ?? errorCode(error);
  return code in REASONS ? new StorageFault(code as keyof typeof REASONS, error) : undefined;
}

/** Throws a StorageFault for an error of the disk, and any other error as it is. */
export async function storing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw storageFault(error) ?? error;
  }
}

/** `storing` for what happens at once. */
export function storingSync<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storageFault(error) ?? error;
  }
}

/** Runs what may be left out while the disk takes nothing. */
export function whereStorable(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!storageFault(error)) throw error;
  }
}

function sqliteReason(error: unknown): keyof typeof REASONS | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  const primary = Number(error.errcode) & 0xff;
  if (primary === SQLITE_FULL) return 'ENOSPC';
  if (primary === SQLITE_READONLY) return 'EROFS';
  return primary === SQLITE_IOERR ? 'EIO' : undefined;
}
