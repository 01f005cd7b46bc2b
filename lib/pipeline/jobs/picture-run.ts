/** Decodes the piece of a rendition up to one frame, which becomes a JPEG. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import { JPEG_CONTENT_TYPE } from '../../domain/poster.ts';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { pictureArgs } from '../../ffmpeg/transcode-args.ts';
import type { WorkerDeps } from '../deps.ts';
import type { MadeFile } from './file-job.ts';
import type { JobContext } from './job-kind.ts';
import type { PictureJob } from './picture.ts';

/** A piece of ten seconds takes a second; the smallest computer has enough with this. */
const TIMEOUT_MS = 60_000;

/** Throws DomainError `moment_not_found` if the piece is not kept any more. */
export async function makePicture(
  { media }: Pick<WorkerDeps, 'media'>,
  { pieceKey, initKey, frame, widthPx }: PictureJob,
  { workFolder, signal }: JobContext,
): Promise<MadeFile> {
  const [init, piece] = await Promise.all([media.get(initKey), media.get(pieceKey)]);
  if (!init || !piece) {
    throw new DomainError(
      'moment_not_found',
      'The segment of this moment is not kept.',
      'Ask for a later moment.',
    );
  }
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'picture-'));
  try {
    const path = join(folder, 'piece.mp4');
    await writeFile(path, Buffer.concat([init, piece]));
    const { stdout } = await runFfmpeg({
      args: pictureArgs(path, frame, widthPx),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (stdout.byteLength === 0) throw new Error(`Frame ${frame} of ${pieceKey} is not there.`);
    return { bytes: stdout, contentType: JPEG_CONTENT_TYPE };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
