/**
 * What encoders that push HLS send under file names: segments, init segments and playlists. The names
 * number the segments; the playlists give exact durations, the first number and the end.
 */

import { DomainError } from '../../domain/errors.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { sourceInitKey } from '../../domain/object-keys.ts';
import type { Stream } from '../../domain/stream.ts';
import { isoKind } from '../../media/iso-boxes.ts';
import { parsePushedPlaylist, segmentNumberOfName } from '../../playlist/pushed-playlist.ts';
import { ensureStream } from '../auth.ts';
import type { Deps } from '../deps.ts';
import { digestOf } from '../digest.ts';
import type { Versioned } from '../records/record-types.ts';
import { requestEnd } from './end.ts';
import { loadInspection, type UploadResult, uploadSegment } from './upload.ts';

/** Each playlist repeats the one before; only its newest lines are new. */
const NEWEST_LINES = 4;

const INIT_WAIT_MS = 3000;
const INIT_POLL_MS = 50;

export type PushedFile = Readonly<{
  name: string;
  bytes: Uint8Array;
  session?: string;
  digest?: string;
}>;

/** The receipt of a segment; undefined for other files. Throws DomainError. */
export async function pushFile(
  deps: Deps,
  stream: Versioned<Stream>,
  file: PushedFile,
): Promise<UploadResult | undefined> {
  if (file.bytes.byteLength === 0) {
    throw new DomainError(
      'empty_body',
      `"${file.name}" has no bytes.`,
      'Send the file as the body.',
    );
  }
  if (isPlaylist(file)) {
    await readPlaylist(deps, stream, file);
    return undefined;
  }
  if (isoKind(file.bytes) === 'init') {
    await storeInit(deps, stream, file.bytes, file.session);
    return undefined;
  }
  const number = segmentNumberOfName(file.name);
  if (number === undefined) {
    throw new DomainError(
      'bad_name',
      `"${file.name}" has no segment number in its name.`,
      'Number the segments by their names, as in segment-00042.ts (ffmpeg: -hls_segment_filename).',
    );
  }
  const upload = {
    number,
    bytes: file.bytes,
    pushed: true,
    ...(file.session === undefined ? {} : { session: file.session }),
    ...(file.digest === undefined ? {} : { digest: file.digest }),
  };
  // ffmpeg does not wait for one answer before it sends the next file: the init segment that went
  // ahead may be a moment behind.
  for (let waitedMs = 0; ; waitedMs += INIT_POLL_MS) {
    try {
      return await uploadSegment(deps, stream, upload);
    } catch (error) {
      const isEarly = error instanceof DomainError && error.code === 'missing_init';
      if (!isEarly || waitedMs >= INIT_WAIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, INIT_POLL_MS));
    }
  }
}

const isPlaylist = ({ name, bytes }: PushedFile): boolean =>
  /\.m3u8?$/i.test(name) || Buffer.from(bytes.subarray(0, 10)).toString('utf8').includes('#EXTM3U');

/** Kept for the fragments that follow it. A new one does not touch fragments that came before. */
export async function storeInit(
  deps: Deps,
  stream: Versioned<Stream>,
  bytes: Uint8Array,
  session?: string,
): Promise<void> {
  const { checkInitSegment } = await loadInspection();
  await checkInitSegment(bytes);
  const digest = digestOf(bytes);
  const { value: created } = await ensureStream(deps, stream);
  const key = sourceInitKey(created, digest);
  await deps.media.put(key, bytes, MEDIA_FORMATS.mp4.contentType);
  await deps.records.putSourceInit(created, session ?? '', { key, digest });
}

async function readPlaylist(deps: Deps, given: Versioned<Stream>, file: PushedFile): Promise<void> {
  const playlist = parsePushedPlaylist(Buffer.from(file.bytes).toString('utf8'));
  if (playlist.type === 'multivariant') return;
  const isEmpty = playlist.segments.length === 0;
  const { value: stream } = isEmpty ? given : await ensureStream(deps, given);
  const { records } = deps;
  const run = await (file.session === undefined
    ? records.newestRun(stream)
    : records.runOfSession(stream, file.session));
  const lines = playlist.segments.flatMap((segment) => {
    const number = segmentNumberOfName(segment.name);
    return number === undefined ? [] : [{ number, seconds: segment.durationSeconds }];
  });
  if (playlist.ended) await requestEnd(deps, stream, 'playlist', lines.at(-1)?.number);
  if (!run) return;
  const first = lines[0];
  const isFirst = lines.length <= 1 && first?.number === run.firstNumber;
  if (isFirst) await records.hintStart(stream, run.run, { firstNumber: first.number });
  await records.hintDurations(stream, run.run, lines.slice(-NEWEST_LINES));
}
