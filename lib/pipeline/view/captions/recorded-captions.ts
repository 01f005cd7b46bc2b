/** What a track of captions shows during an entry of the recording. */

import { type PlacedCue, placeCues } from '../../../domain/captions/caption-placement.ts';
import type { RecordedEntry } from '../../../domain/recording.ts';
import type { Stream } from '../../../domain/stream.ts';
import type { TimelineState } from '../../../domain/timeline.ts';
import type { Deps } from '../../deps.ts';
import type { CaptionLogs } from './caption-logs.ts';
import { liveEntry } from './captioned-entry.ts';
import { closedCaptionsOf } from './closed-captions.ts';

type Parts = Pick<Deps, 'records' | 'store'>;

/** With their whole times, by the clock of the entry; closed captions in the video are cut to it. */
export async function recordedCues(
  deps: Parts,
  logs: CaptionLogs,
  stream: Stream,
  state: TimelineState,
  entry: RecordedEntry,
  { track, version }: Readonly<{ track: string; version: number }>,
): Promise<PlacedCue[]> {
  const { channel } = state.captions?.tracks[track] ?? {};
  if (channel) return closedCaptionsOf(deps, stream, entry, channel);
  const log = await logs.of(stream, state, version);
  const live = await liveEntry(deps, stream, state, entry);
  return placeCues(log, live, { track, version, since: version });
}
