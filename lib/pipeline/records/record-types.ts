/** Records that only the pipeline knows; those of streams, segments and timelines are of the domain. */

/** A record, and the version that a conditional write of it expects. */
export type Versioned<T> = Readonly<{ value: T; version: number }>;

/** The stream ends after this segment: by a call of the encoder, by its playlist, or by its silence. */
export type EndRequest = Readonly<{
  run: number;
  number: number;
  requestedAtMs: number;
  reason: 'call' | 'playlist' | 'idle';
}>;

/** An init segment that an encoder sent apart from its fragments. */
export type SourceInit = Readonly<{ key: string; digest: string }>;

/** A large segment that may be PUT straight to the store, and what became of it. */
export type PresignedUploadRecord = Readonly<{
  presignId: string;
  number: number;
  session?: string;
  digest: string;
  sizeBytes: number;
  durationSeconds?: number;
  pushed: boolean;
  failure?: Readonly<{ code: string; message: string; hint: string }>;
}>;

/** When the next housekeeping of an open stream is due, and what the last one found. */
export type NextHousekeeping = Readonly<{
  atMs: number;
  /** Time of the newest upload, and since when the encoder has been silent. */
  uploadedAtMs?: number;
  sinceMs?: number;
}>;

/** From the encoder's own playlist: the number of a run's first segment. */
export type StartHint = Readonly<{ firstNumber: number; targetDurationSeconds?: number }>;
