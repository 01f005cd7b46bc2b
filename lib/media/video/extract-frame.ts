/** One frame of a rendition's segment as a JPEG. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg } from '../../ffmpeg/run.ts';
import { pictureArgs } from '../../ffmpeg/transcode-args.ts';

/** A segment of ten seconds takes a second; the smallest computer has enough with this. */
const TIMEOUT_MS = 60_000;

export type FrameRequest = Readonly<{
  init: Uint8Array;
  media: Uint8Array;
  /** Among the frames as they are shown, from 0 on. */
  frame: number;
  widthPx: number;
  workFolder: string;
  signal: AbortSignal;
}>;

/** Decodes up to it. Throws if it is not there. Leaves nothing in `workFolder`. */
export async function extractFrame(request: FrameRequest): Promise<Uint8Array> {
  const { init, media, frame, widthPx, workFolder, signal } = request;
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'picture-'));
  try {
    const path = join(folder, 'segment.mp4');
    await writeFile(path, Buffer.concat([init, media]));
    const { stdout } = await runFfmpeg({
      args: pictureArgs(path, frame, widthPx),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (stdout.byteLength === 0) throw new Error(`The segment has no frame ${frame}.`);
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
