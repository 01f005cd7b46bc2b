/** The `code` of a system error (`ENOENT`, `ERR_SQLITE_ERROR` …); empty if there is none. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';
