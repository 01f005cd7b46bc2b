/** Where closed segments wait for their receipts: their names, and what a place for them can do. Pure. */

export type SpooledSegment = Readonly<{
  /** The broadcast that it belongs to; sorts by its start. */
  session: string;
  number: number;
  /** Wall clock of its beginning, in milliseconds since 1970. */
  atMs: number;
  durationSeconds: number;
  sizeBytes: number;
}>;

/** Each call throws what the browser throws; `store` throws `QuotaExceededError` when nothing more fits. */
export type SegmentStore = Readonly<{
  store(segment: SpooledSegment, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** undefined: it is not there. */
  read(segment: SpooledSegment): Promise<Uint8Array<ArrayBuffer> | undefined>;
  remove(segment: SpooledSegment): Promise<void>;
  /** What earlier pages left, in the order of its sending. */
  list(): Promise<readonly SpooledSegment[]>;
}>;

/** All that is known of it, so that a file without its record, or a record without its file, cannot be. */
export const fileNameOf = ({ number, atMs, durationSeconds, sizeBytes }: SpooledSegment): string =>
  `${String(number).padStart(8, '0')}_${atMs}_${Math.round(durationSeconds * 1e6)}_${sizeBytes}.mp4`;

/** undefined: another file, or one that was not written to its end when the browser died. */
export function segmentOfFile(
  session: string,
  name: string,
  actualBytes: number,
): SpooledSegment | undefined {
  const match = name.match(/^(\d{8,15})_(\d{1,15})_(\d{1,12})_(\d{1,12})\.mp4$/);
  if (!match) return undefined;
  const [number = 0, atMs = 0, durationUs = 0, sizeBytes = 0] = match.slice(1).map(Number);
  if (sizeBytes !== actualBytes) return undefined;
  return { session, number, atMs, durationSeconds: durationUs / 1e6, sizeBytes };
}

/** Sorts by the moment of its start. `random`: of two pages that start at once. */
export const sessionName = (startedAtMs: number, random: string): string =>
  `studio-${new Date(startedAtMs).toISOString().replaceAll(/[-:.]/g, '')}-${random}`;

export const inSendingOrder = (a: SpooledSegment, b: SpooledSegment): number =>
  a.session === b.session ? a.number - b.number : a.session < b.session ? -1 : 1;

/** For browsers without a file system: it survives a network loss, no reload. */
export function memoryStore(): SegmentStore {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const keyOf = (segment: SpooledSegment): string => `${segment.session}/${fileNameOf(segment)}`;
  return {
    store: async (segment, bytes) => void kept.set(keyOf(segment), bytes),
    read: async (segment) => kept.get(keyOf(segment)),
    remove: async (segment) => void kept.delete(keyOf(segment)),
    list: async () => [],
  };
}
