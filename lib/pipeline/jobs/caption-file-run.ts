/** Makes the file of a track of captions. */

import { trackNotFound } from '../../domain/captions/caption.ts';
import { SUB_RIP, WEB_VTT } from '../../domain/media-format.ts';
import type { Stream } from '../../domain/stream.ts';
import type { WorkerDeps } from '../deps.ts';
import { CaptionLogs } from '../view/captions/caption-logs.ts';
import { printCaptions } from '../view/captions/print-captions.ts';
import type { CaptionFileJob } from './caption-file.ts';
import type { MadeFile } from './file-job.ts';
import { makeRoom } from './saved-files.ts';

const FORMATS = { vtt: WEB_VTT, srt: SUB_RIP } as const;

/** Throws `captions_not_found` for a track that was removed meanwhile. */
export async function makeCaptionFile(
  deps: WorkerDeps,
  stream: Stream,
  { track, format, version, entries }: CaptionFileJob,
): Promise<MadeFile> {
  await makeRoom(deps, stream);
  const { value } = await deps.records.timeline(stream);
  const { tracks = {} } = value.captions ?? {};
  if (!tracks[track]) throw trackNotFound(stream.videoId, track, Object.keys(tracks));
  const state = { ...value, nextSequence: entries };
  const what = { track, format, version };
  const text = await printCaptions(deps, new CaptionLogs(deps), stream, state, what);
  return { bytes: Buffer.from(text), contentType: FORMATS[format].contentType };
}
