/** What all kinds of job have in common that make a file for a viewer: `file-request.ts` queues them. */

import { DomainError } from '../../domain/errors.ts';
import type { Stream } from '../../domain/stream.ts';
import type { WorkerDeps } from '../deps.ts';
import { endFileRequest, findFileRequest, putFileRequest } from '../records/file-records.ts';
import type { JobBody, JobContext, JobKind, JobResult } from './job-kind.ts';

/** `key`: where the file is stored. It names all that the file depends on. */
export type FileJob = JobBody & Readonly<{ key: string }>;

/** In memory, or as files one behind the other. */
export type MadeFile = Readonly<{ contentType: string }> &
  (
    | Readonly<{ bytes: Uint8Array }>
    /** `remove`: from the disk, once they are stored. */
    | Readonly<{ paths: readonly string[]; remove(): Promise<void> }>
  );

/** Reports how far the file is, from 0 to 1. */
export type ReportProgress = (progress: number) => Promise<void>;

export type FileKind<Job extends FileJob> = Pick<JobKind<Job>, 'name' | 'weight' | 'schema'> &
  Readonly<{
    /** Throws DomainError where another try will not help: viewers are told. */
    make(
      deps: WorkerDeps,
      stream: Stream,
      job: Job,
      context: JobContext,
      report: ReportProgress,
    ): Promise<MadeFile>;
  }>;

/** How long viewers are told of a failure before the next request queues the job again. */
const FAILED_MS = 10 * 60_000;

export function fileJobKind<Job extends FileJob>(kind: FileKind<Job>): JobKind<Job> {
  const { name, weight, schema } = kind;
  return {
    ...{ name, weight, schema, class: 'backfill', blocksPublishing: false },
    run: (deps, job, context) => makeFile(kind, deps, job, context),
    async giveUp(deps, job, reason) {
      const message = `The file was not made: ${reason}.`;
      const hint = 'Ask again in ten minutes, and look into the log of the workers.';
      await recordFailure(deps, job, { code: 'unavailable', message, hint });
    },
  };
}

async function makeFile<Job extends FileJob>(
  kind: FileKind<Job>,
  deps: WorkerDeps,
  job: Job,
  context: JobContext,
): Promise<JobResult> {
  const { media } = deps;
  const stream = await findStream(deps, job);
  if (!stream) return 'obsolete';
  try {
    if (!(await media.head(job.key))) {
      const file = await kind.make(deps, stream, job, context, (progress) =>
        recordProgress(deps, job, progress),
      );
      if (!(await storeFile(deps, job, file))) return 'obsolete';
    }
  } catch (error) {
    if (!(error instanceof DomainError) || error.isPassing) throw error;
    await recordFailure(deps, job, error);
    return 'failed';
  }
  await endFileRequest(deps, job, job.key);
  return 'done';
}

/** false: the stream is gone. Its objects went with it: none is left behind. */
async function storeFile(deps: WorkerDeps, job: FileJob, file: MadeFile): Promise<boolean> {
  const { media } = deps;
  try {
    if (!(await findStream(deps, job))) return false;
    if ('bytes' in file) await media.put(job.key, file.bytes, file.contentType);
    else await media.putFile(job.key, file.paths, file.contentType);
    return true;
  } finally {
    if ('remove' in file) await file.remove();
  }
}

async function findStream({ records }: WorkerDeps, job: FileJob): Promise<Stream | undefined> {
  const stream = (await records.findStream(job.videoId))?.value;
  return stream?.uid === job.uid ? stream : undefined;
}

/** Nothing, if another request was recorded meanwhile. */
async function recordProgress(deps: WorkerDeps, job: FileJob, progress: number): Promise<void> {
  const known = await findFileRequest(deps, job, job.key);
  if (known) await putFileRequest(deps, job, job.key, { ...known.value, progress }, known.version);
}

function recordFailure(
  deps: Omit<WorkerDeps, 'media'>,
  job: FileJob,
  { code, message, hint }: Pick<DomainError, 'code' | 'message' | 'hint'>,
): Promise<void> {
  const untilMs = deps.clock.now() + FAILED_MS;
  return endFileRequest(deps, job, job.key, { code, message, hint, untilMs });
}
