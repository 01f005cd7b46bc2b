/** The end of a stream that was made of a whole file. */

import { runsOfFile, type UploadedFile } from '../../../domain/uploaded-file.ts';
import type { WorkerDeps } from '../../deps.ts';
import { requestEnd } from '../../ingest/end.ts';
import type { JobBody } from '../job-kind.ts';

/** Nothing, if nothing was cut of it, or if another encoder has gone on with the stream since. */
export async function endOfFile(
  deps: Omit<WorkerDeps, 'media'>,
  { videoId, uid }: JobBody,
  file: UploadedFile,
): Promise<void> {
  const stream = (await deps.records.findStream(videoId))?.value;
  if (stream?.uid !== uid) return;
  const newest = await deps.records.newestRun(stream);
  const isOfFile = runsOfFile(file).some(({ session }) => session === newest?.session);
  if (isOfFile) await requestEnd(deps, stream, 'call');
}
