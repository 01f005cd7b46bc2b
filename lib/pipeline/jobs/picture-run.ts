/** Makes the picture of a frame from the piece of a rendition that has it. */

import { pieceIsGone } from '../../domain/pictures/picture.ts';
import { JPEG_CONTENT_TYPE } from '../../domain/pictures/poster.ts';
import { extractFrame } from '../../media/video/extract-frame.ts';
import type { WorkerDeps } from '../deps.ts';
import type { MadeFile } from './file-job.ts';
import type { JobContext } from './job-kind.ts';
import type { PictureJob } from './picture.ts';

/** Throws DomainError `moment_not_found` if the piece is not kept any more. */
export async function makePicture(
  { media: store }: Pick<WorkerDeps, 'media'>,
  { pieceKey, initKey, frame, widthPx }: PictureJob,
  { workFolder, signal }: JobContext,
): Promise<MadeFile> {
  const [init, media] = await Promise.all([store.get(initKey), store.get(pieceKey)]);
  if (!init || !media) throw pieceIsGone();
  const bytes = await extractFrame({ init, media, frame, widthPx, workFolder, signal });
  return { bytes, contentType: JPEG_CONTENT_TYPE };
}
