/** A whole file that becomes a stream: its upload, and how far it has been cut into segments. */

import type { ErrorCode } from './errors.ts';
import type { Notice } from './notice.ts';

/** `waiting`: it is here, and no worker has begun to cut it. */
export type UploadedFileState = 'uploading' | 'waiting' | 'processing' | 'done' | 'failed';

export type UploadedFile = Readonly<{
  /** Counts the files of the stream, from 1. */
  fileId: number;
  name: string;
  sizeBytes: number;
  state: UploadedFileState;
  /** Of an upload in parts: the store's id of it. */
  multipart?: Readonly<{ id: string; partBytes: number }>;
  storedBytes: number;
  createdAtMs: number;
  /** Of the newest call of who uploads it, or step of the job. */
  touchedAtMs: number;
  /** Media time of the file, if its header says it. */
  durationSeconds?: number;
  cut?: CutPosition;
  notices?: readonly Notice[];
  failure?: Readonly<{ code: ErrorCode; message: string; hint: string }>;
}>;

/** Where the next step of the job goes on. */
export type CutPosition = Readonly<{
  /** Of the encoder run whose segments they are. */
  session: string;
  nextNumber: number;
  /** Of the file's clock: where the next segment begins; absent: nothing was cut yet. */
  fromSeconds?: number;
  /** Steps that are done. */
  steps: number;
  /** Of the file's clock: how much of it is cut. */
  seconds: number;
  /** It is encoded before it is cut, from here on: its codecs are none of ours, or it has too few keyframes. */
  encodesFromSeconds?: number;
}>;

export const sessionOfFile = ({ fileId }: Pick<UploadedFile, 'fileId'>): string => `file-${fileId}`;

/** It is being uploaded or cut: another one has to wait. */
export const isUnderWay = ({ state }: Pick<UploadedFile, 'state'>): boolean =>
  state !== 'done' && state !== 'failed';

/**
 * Segments that one step of the job cuts: few at first, so that many workers have something to do at once;
 * never so many that a long film is queued as a whole.
 */
export const segmentsOfStep = (step: number): number => Math.min(256, 8 * 2 ** Math.min(step, 5));

/** The next step waits while so many segments of the file are not transcoded. */
export const MAX_SEGMENTS_AHEAD = 512;

const MIN_PART_BYTES = 8 * 1024 * 1024;
const MIB = 1024 * 1024;

/** Equal parts, in whole MiB, no more than a store takes. */
export const partBytesOf = (sizeBytes: number, maxParts: number): number =>
  Math.max(MIN_PART_BYTES, Math.ceil(sizeBytes / maxParts / MIB) * MIB);
