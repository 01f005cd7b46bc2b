/** Chapters of a whole file become markers of its stream, and its subtitles captions. */

import type { Notice } from '../../domain/notice.ts';
import { fileCaptionsKey } from '../../domain/object-keys.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { TIMELINE_OFFSET_TICKS, ticksToMs } from '../../domain/ticks.ts';
import type { UploadedFile } from '../../domain/uploaded-file.ts';
import { languageTag } from '../../media/demux/demuxed-segment.ts';
import type { Chapter, SubtitleTrack } from '../../media/split/file-texts.ts';
import { SHIFT_TICKS, ticksOf } from '../../media/split/write-segment.ts';
import type { WorkerDeps } from '../deps.ts';
import { putMarkers } from '../markers/edit-markers.ts';

/** Markers of one write. */
const AT_ONCE = 50;

/** Doing it twice changes nothing. */
export async function markChapters(
  deps: WorkerDeps,
  stream: Stream,
  { fileId }: UploadedFile,
  run: Run,
  chapters: readonly Chapter[],
): Promise<void> {
  const markers = chapters.map(({ startSeconds, endSeconds, title }, index) => ({
    id: `chapter-${fileId}-${index + 1}`,
    class: 'chapter',
    start: instantOf(run, startSeconds),
    end: instantOf(run, endSeconds),
    ...(title !== '' && { text: title }),
  }));
  for (let from = 0; from < markers.length; from += AT_ONCE) {
    await putMarkers(deps, stream, markers.slice(from, from + AT_ONCE));
  }
}

/** Wall clock of a time of the file, as playlists say it (EXT-X-PROGRAM-DATE-TIME). */
const instantOf = ({ anchorMs, anchorTicks }: Run, seconds: number): string => {
  const ticks = ticksOf(seconds) + SHIFT_TICKS + TIMELINE_OFFSET_TICKS;
  return new Date(anchorMs + Math.round(ticksToMs(ticks - anchorTicks))).toISOString();
};

/** Each track is a WebVTT file beside the media, whose times are those of the file; the notice says where. */
export async function keepSubtitles(
  { media }: WorkerDeps,
  stream: Stream,
  { fileId }: UploadedFile,
  tracks: readonly SubtitleTrack[],
): Promise<Notice[]> {
  return Promise.all(
    tracks.map(async ({ language, webvtt }, index) => {
      const tag = languageTag(language);
      const key = fileCaptionsKey(stream, fileId, index + 1, tag);
      await media.put(key, webvtt, 'text/vtt');
      return {
        code: 'subtitles',
        message: `Subtitles ${index + 1} (${tag}) are at /${key}.`,
      } as const;
    }),
  );
}
