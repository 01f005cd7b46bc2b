/**
 * Files that viewers ask for and jobs make: a segment in another format, a picture, a clip. Each is made
 * once and kept. Viewers need no key, so of a stream only a few are made at a time.
 */

import { DomainError } from '../../domain/errors.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import {
  endFileRequest,
  type FileRequest,
  findFileFailure,
  findFileRequest,
  listFileRequests,
  putFileRequest,
} from '../records/file-records.ts';
import { requestScaling } from '../upkeep/scaling.ts';
import { enqueueJobs } from './enqueue.ts';
import type { FileJob } from './file-job.ts';
import type { JobKind } from './job-kind.ts';
import { isOnItsWay } from './lost-job.ts';

export type RequestedFile =
  | Readonly<{ type: 'ready'; key: string }>
  /** Its job waits or runs; progress from 0 to 1. */
  | Readonly<{ type: 'waiting'; progress: number }>;

export type FileRequestDeps = Pick<Deps, 'media' | 'store' | 'queues' | 'clock'>;

/** Of one stream, waiting and running. */
export const MAX_FILE_REQUESTS = 16;

/**
 * The file of `job.key`, if it is there; else its job is queued unless it waits already. Throws the
 * DomainError that the job failed with, `unavailable` for some minutes after it was given up, and
 * `too_many_files`.
 */
export async function requestFile<Job extends FileJob>(
  deps: FileRequestDeps,
  stream: Stream,
  kind: JobKind<Job>,
  job: Job,
): Promise<RequestedFile> {
  const { media, clock } = deps;
  const { key } = job;
  if (await media.head(key)) return { type: 'ready', key };
  const [known, failure] = await Promise.all([
    findFileRequest(deps, stream, key),
    findFileFailure(deps, stream, key),
  ]);
  if (failure && clock.now() < failure.untilMs) {
    throw new DomainError(failure.code, failure.message, failure.hint);
  }
  if (known && (await isOnItsWay(deps, kind, known.value.queuedAtMs))) {
    return { type: 'waiting', progress: known.value.progress };
  }
  if (!known) await requireRoom(deps, stream, kind);
  const request: FileRequest = { queuedAtMs: clock.now(), progress: 0 };
  // Who was faster has queued it.
  if (await putFileRequest(deps, stream, key, request, known?.version ?? 0)) {
    try {
      await enqueueJobs(deps, kind, [job]);
    } catch (error) {
      await endFileRequest(deps, stream, key);
      throw error;
    }
    await requestScaling(deps);
  }
  return { type: 'waiting', progress: 0 };
}

/** Requests whose jobs were lost, and that nobody repeats, must not take the room for ever. */
async function requireRoom(
  deps: FileRequestDeps,
  stream: Stream,
  kind: Pick<JobKind, 'class'>,
): Promise<void> {
  const waiting = await listFileRequests(deps, stream, MAX_FILE_REQUESTS);
  if (waiting.length < MAX_FILE_REQUESTS) return;
  const ended = await Promise.all(
    waiting.map(async ({ key, request }) => {
      if (await isOnItsWay(deps, kind, request.queuedAtMs)) return false;
      await endFileRequest(deps, stream, key);
      return true;
    }),
  );
  if (ended.includes(true)) return;
  throw new DomainError(
    'too_many_files',
    `${waiting.length} files of stream "${stream.videoId}" are being made; more are not begun meanwhile.`,
    'Ask again in a few seconds.',
  );
}
