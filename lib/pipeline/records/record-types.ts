/** Records that only the pipeline knows; those of streams, segments and timelines are of the domain. */

import type { NamedNumber, VariantPattern } from '../../domain/segment-names.ts';
import type { EntryRendition } from '../../domain/timeline.ts';

/** A record, and the version that a conditional write of it expects. */
export type Versioned<T> = Readonly<{ value: T; version: number }>;

/** The stream ends after this segment: by a call of the encoder, by its playlist, or by its silence. */
export type EndRequest = Readonly<{
  run: number;
  number: number;
  requestedAtMs: number;
  reason: 'call' | 'playlist' | 'idle';
  /** Of a call: the last segment by the encoder's playlist. It may still be on its way. */
  announced?: number;
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
  atMs?: number;
  pushed: boolean;
  /** The file name that it was pushed under. */
  name?: string;
  failure?: Readonly<{ code: string; message: string; hint: string }>;
}>;

/** What the recording lists of a language at an entry, in place of what live playlists list. */
export type LatePiece = Readonly<{
  sequence: number;
  rendition: string;
  piece: EntryRendition;
  /** That it took the place of, one after the other: players may still load them. */
  replaced?: readonly EntryRendition[];
}>;

/** When the next housekeeping of an open stream is due, and what the last one found. */
export type NextHousekeeping = Readonly<{
  atMs: number;
  /** Time of the newest upload, and since when the encoder has been silent. */
  uploadedAtMs?: number;
  sinceMs?: number;
}>;

/** The playlists of a long recording, which a job makes. */
export type RecordingPlaylists = Readonly<{
  /** Since when their job waits or runs. Absent: none does. */
  queuedAtMs?: number;
  /** The newest that are stored. */
  stored?: StoredRecording;
}>;

/**
 * As a long recording is stored: the version in its keys, with so many late arrivals, this version of the captions,
 * and after so many changes by retention.
 */
export type StoredRecording = Readonly<{
  version: string;
  lateArrivals: number;
  /** Absent: the stream had no captions. */
  captionVersion?: number;
  /** Absent: nothing was removed. */
  keptVersion?: number;
  durationSeconds: number;
}>;

/** From the encoder's own playlist: of a run's first segment, and of all its segments. */
export type StartHint = Readonly<{ firstNumber?: number; targetDurationSeconds?: number }>;

/** Of a segment, from the encoder: exact where the container is not. */
export type SegmentHint = Readonly<{ seconds?: number; programDateTimeMs?: number }>;

/** How an encoder names the files that it pushes. */
export type PushNaming = Readonly<{
  /** The newest, in order of their coming. */
  names: readonly NamedNumber[];
  /** The newest of its playlist by their places there. */
  listed: readonly NamedNumber[];
  /** Of variants that are left out. */
  ignored: readonly VariantPattern[];
  /** By names of playlists, from the multivariant playlist. */
  bandwidths: Readonly<Record<string, number>>;
  /** Names of init segments, the newest last. */
  inits: readonly string[];
  /** Files that are being taken, or wait for those before them, in order. */
  turns?: readonly Readonly<{ name: string; atMs: number }>[];
}>;

export const NO_NAMING: PushNaming = {
  names: [],
  listed: [],
  ignored: [],
  bandwidths: {},
  inits: [],
};
