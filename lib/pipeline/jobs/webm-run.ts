/** Makes a segment as WebM from the renditions that are stored: their picture is smaller to decode than the source's. */

import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { encodeWebm } from '../../media/webm/encode-webm.ts';
import type { WorkerDeps } from '../deps.ts';
import { readAudio, readPiece } from '../view/segment-files/read-pieces.ts';
import type { MadeFile } from './file-job.ts';
import type { JobContext } from './job-kind.ts';
import type { WebmJob } from './webm.ts';

export async function makeWebm(
  { media }: Pick<WorkerDeps, 'media'>,
  { startTicks, endTicks, picture, sound }: WebmJob,
  { workFolder, threads, signal }: JobContext,
): Promise<MadeFile> {
  const [video, audio] = await Promise.all([
    picture && readPiece({ media }, picture),
    sound && readAudio({ media }, sound),
  ]);
  const bytes = await encodeWebm({
    ...(picture && video && { video: { ...video, maxrateBps: picture.maxrateBps } }),
    ...(audio && { audio }),
    bounds: { startTicks, endTicks },
    ...{ threads, workFolder, signal },
  });
  return { bytes, contentType: MEDIA_FORMATS.webm.contentType };
}
