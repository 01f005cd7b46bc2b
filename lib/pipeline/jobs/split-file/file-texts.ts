/** Chapters of a whole file become markers of its stream, and its subtitles captions. */

import {
  type CaptionTrack,
  type CueSet,
  captionTrackName,
} from '../../../domain/captions/caption.ts';
import { DomainError } from '../../../domain/errors.ts';
import type { Notice } from '../../../domain/notice.ts';
import type { Run, Stream } from '../../../domain/stream.ts';
import { TIMELINE_OFFSET_TICKS, ticksToMs } from '../../../domain/ticks.ts';
import { runsOfFile, type UploadedFile } from '../../../domain/uploaded-file.ts';
import type { ParsedCaptions } from '../../../media/captions/parse-captions.ts';
import { languageTag } from '../../../media/demux/demuxed-segment.ts';
import type { Chapter, SubtitleTrack } from '../../../media/split/file-texts.ts';
import { SHIFT_TICKS, ticksOf } from '../../../media/split/write-segment.ts';
import { moveCues } from '../../captions/caption-times.ts';
import { putCueSets } from '../../captions/edit-captions.ts';
import type { WorkerDeps } from '../../deps.ts';
import { putMarkers } from '../../markers/edit-markers.ts';

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

/**
 * Each track of text is shown as captions. Returns what became of each. Doing it twice changes nothing.
 * `parse` reads foreign text: in a thread.
 */
export async function keepSubtitles(
  deps: WorkerDeps,
  stream: Stream,
  file: UploadedFile,
  tracks: readonly SubtitleTrack[],
  parse: (webvtt: Uint8Array) => Promise<ParsedCaptions>,
): Promise<Notice[]> {
  const runs = await startedRuns(deps, stream, file);
  const names = new Set<string>();
  const notices: Notice[] = [];
  for (const [index, { webvtt, ...subtitles }] of tracks.entries()) {
    const track = captionTrackOf(subtitles);
    const name = captionTrackName(track);
    const what = `Subtitles ${index + 1} (${track.language})`;
    const leaveOut = (reason: string): void => {
      notices.push({ code: 'track_ignored', message: `${what} are left out: ${reason}` });
    };
    if (!webvtt) leaveOut('they are pictures, or cannot be read.');
    else if (names.has(name)) leaveOut('another track has the same language and purpose.');
    else {
      try {
        const parsed = await parse(webvtt);
        const sets = runs.map((run) => cueSetOf(file, run, parsed));
        await putCueSets(deps, stream, track, sets);
        names.add(name);
        const message = `${what} are shown as captions; cues: ${parsed.cues.length}.`;
        notices.push({ code: 'subtitles', message });
      } catch (error) {
        if (!(error instanceof DomainError) || error.isPassing) throw error;
        leaveOut(error.message);
      }
    }
  }
  return notices;
}

const captionTrackOf = ({
  language,
  isForced,
  isForHearingImpaired,
}: Omit<SubtitleTrack, 'webvtt'>): CaptionTrack => ({
  language: languageTag(language),
  ...(isForced && { isForced: true }),
  ...(isForHearingImpaired && !isForced && { isSdh: true }),
});

/** From `fromTicks` up to `toTicks` of the file's clock. */
type StartedRun = Readonly<{ run: number; fromTicks: number; toTicks: number }>;

async function startedRuns(
  { records }: Pick<WorkerDeps, 'records'>,
  stream: Stream,
  file: UploadedFile,
): Promise<StartedRun[]> {
  const runs = runsOfFile(file);
  const found = await Promise.all(
    runs.map(async ({ session, fromSeconds }, index) => {
      const run = await records.runOfSession(stream, session);
      const toSeconds = runs[index + 1]?.fromSeconds ?? Number.POSITIVE_INFINITY;
      const span = { fromTicks: ticksOf(fromSeconds), toTicks: ticksOf(toSeconds) };
      return run && { run: run.run, ...span };
    }),
  );
  return found.filter((run) => run !== undefined);
}

/** Cues that are shown during the run, by its clock. */
function cueSetOf(
  { fileId }: UploadedFile,
  { run, fromTicks, toTicks }: StartedRun,
  { header, cues }: ParsedCaptions,
): Readonly<{ set: string; content: CueSet }> {
  const zeroTicks = SHIFT_TICKS + TIMELINE_OFFSET_TICKS;
  const shown = cues
    .filter(({ from, to }) => to > fromTicks && from < toTicks)
    .map((cue) => ({ ...cue, from: Math.max(cue.from, fromTicks) }));
  const content = {
    clock: `run ${run}` as const,
    ...(header && { header }),
    cues: moveCues(shown, zeroTicks - fromTicks),
  };
  return { set: `whole-file-${fileId}/${run}`, content };
}
