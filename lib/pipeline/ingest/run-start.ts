/** How a run begins: it is planned by its first segment, and gets the audio tracks that come later. */

import { unknownTracks } from '../../domain/audio-slots.ts';
import type { AudioFacts, SegmentFacts } from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import type { IngestDeps } from '../deps.ts';
import type { SegmentUpload } from './upload.ts';

/** The run that begins with this segment. */
export function startRun(
  run: number,
  upload: Pick<SegmentUpload, 'number' | 'session'>,
  facts: SegmentFacts,
  timestampOffsetTicks: number,
  nowMs: number,
  /** Of a language: the encoder's clock, by which its runs are placed. */
  startMs?: number,
): Run {
  return {
    run,
    session: upload.session ?? `~${run}`,
    explicit: upload.session !== undefined,
    firstNumber: upload.number,
    createdAtMs: nowMs,
    anchorTicks: facts.startTicks + timestampOffsetTicks,
    anchorMs: startMs ?? nowMs - ticksToMs(facts.endTicks - facts.startTicks),
    ...(facts.video
      ? {
          picture: {
            widthPx: facts.video.widthPx,
            heightPx: facts.video.heightPx,
            framesPerSecond: facts.video.framesPerSecond,
          },
        }
      : {}),
    audio: facts.audio.map((track) => runTrack(track, timestampOffsetTicks)),
  };
}

const runTrack = (track: AudioFacts, timestampOffsetTicks: number): Run['audio'][number] => ({
  trackId: track.trackId,
  codec: track.codec,
  sampleRateHz: track.sampleRateHz,
  channels: track.channels,
  language: track.language,
  startTicks: track.startTicks + timestampOffsetTicks,
});

/** Audio tracks that come later are recorded before their segment: a rendition is one track to the end. */
export function withLateTracks(
  { records }: Pick<IngestDeps, 'records'>,
  stream: Stream,
  run: Run,
  { audio }: SegmentFacts,
  timestampOffsetTicks: number,
): Promise<Run> | Run {
  if (unknownTracks(run.audio, audio).length === 0) return run;
  return records.changeRun(stream, run.run, (before) => {
    const late = unknownTracks(before.audio, audio);
    if (late.length === 0) return before;
    const added = late.map((track) => runTrack(track, timestampOffsetTicks));
    return { ...before, audio: [...before.audio, ...added] };
  });
}
