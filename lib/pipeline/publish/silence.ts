/** Silent pieces of audio renditions, for segments that have none: a player that finds a gap there stops. */

import { audioSlotOf } from '../../domain/audio-slots.ts';
import { MEDIA_FORMATS } from '../../domain/media-format.ts';
import { renditionInitKey, silenceKey } from '../../domain/object-keys.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import {
  type EntryRendition,
  isGap,
  type RenditionInfo,
  type TimelineEntry,
  type TimelineState,
} from '../../domain/timeline.ts';
import type { MakeSilence, StoredObject } from '../../domain/timeline-draft.ts';
import { silentPiece } from '../../media/audio/silence.ts';
import type { Deps } from '../deps.ts';
import { digestOf } from '../digest.ts';

const CONTENT_TYPE = MEDIA_FORMATS.cmafAudio.contentType;

/** How far back a stream is made silent whose audio begins later: ten minutes of two-second segments. */
const MAX_ENTRIES_BACK = 300;
const AT_ONCE = 50;

type AudioInfo = Extract<RenditionInfo, { kind: 'audio' }>;
type Silence = Readonly<{ piece: EntryRendition; objects: readonly StoredObject[] }>;

/** Where the frames of a rendition are counted from. */
const anchorOf = ({ audio }: Pick<Run, 'audio'>, rendition: string): number =>
  (audio[audioSlotOf(rendition)] ?? audio[0])?.startTicks ?? 0;

/** `run`: whose frames the silence is aligned to. */
export const silenceMaker =
  (stream: Stream, run: Pick<Run, 'audio'>): MakeSilence =>
  (rendition, info, sequence, startTicks, endTicks) =>
    makeSilence(stream, run, rendition, info, sequence, startTicks, endTicks);

function makeSilence(
  stream: Stream,
  run: Pick<Run, 'audio'>,
  rendition: string,
  { sampleRateHz, channels, language }: AudioInfo,
  sequence: number,
  startTicks: number,
  endTicks: number,
): Silence {
  const anchor = { startTicks: anchorOf(run, rendition) };
  const made = silentPiece({ sampleRateHz, channels, language, startTicks, endTicks, anchor });
  const key = silenceKey(stream, rendition, sequence);
  const initKey = renditionInitKey(stream, rendition, digestOf(made.init));
  const { startTicks: from = startTicks, durationTicks = endTicks - startTicks } = made;
  return {
    piece: {
      ...{ key, initKey, sizeBytes: made.media.byteLength },
      ...{ startTicks: from, durationTicks },
    },
    objects: [
      { key, bytes: made.media },
      { key: initKey, bytes: made.init },
    ],
  };
}

export const storeObjects = async (
  { media }: Pick<Deps, 'media'>,
  objects: readonly StoredObject[],
): Promise<void> => {
  for (let from = 0; from < objects.length; from += AT_ONCE) {
    const some = objects.slice(from, from + AT_ONCE);
    await Promise.all(some.map(({ key, bytes }) => media.put(key, bytes, CONTENT_TYPE)));
  }
};

/**
 * The state behind `appended`, if audio renditions begin with one of these entries, or behind all of them:
 * what viewers may go back to is made silent for them, and stored. `before`: the state in front of the
 * entries.
 */
export async function withSilenceBefore(
  deps: Pick<Deps, 'media' | 'records'>,
  stream: Stream,
  run: Pick<Run, 'audio'>,
  before: TimelineState,
  state: TimelineState,
  appended: readonly TimelineEntry[],
): Promise<TimelineState> {
  const renditions = { ...state.renditions };
  for (const [name, totals] of Object.entries(state.renditions)) {
    const { info } = totals;
    const begun = appended.find((entry) => entry.renditions[name]);
    const to = begun?.sequence ?? before.nextSequence;
    if (info.kind !== 'audio' || before.renditions[name] || to === 0) continue;
    const from = Math.max(before.firstListedSequence, to - MAX_ENTRIES_BACK);
    const earlier = await deps.records.entries(stream, from, before.nextSequence - 1);
    const made = [...earlier, ...appended]
      .filter((entry) => entry.sequence >= from && entry.sequence < to && !isGap(entry))
      .map((entry) => silenceOf(stream, run, name, info, entry));
    const [first] = made;
    if (!first) continue;
    const pieces = made.flatMap(({ objects }) => objects.slice(0, 1));
    await storeObjects(deps, [...first.objects.slice(1), ...pieces]);
    const anchorTicks = anchorOf(run, name);
    const silence = { from, to, initKey: first.piece.initKey, anchorTicks };
    const sizeBytes = made.reduce((sum, { piece }) => sum + piece.sizeBytes, totals.sizeBytes);
    const durationTicks = made.reduce(
      (sum, { piece }) => sum + (piece.durationTicks ?? 0),
      totals.durationTicks,
    );
    renditions[name] = { ...totals, sizeBytes, durationTicks, silence };
  }
  return { ...state, renditions };
}

const silenceOf = (
  stream: Stream,
  run: Pick<Run, 'audio'>,
  name: string,
  info: AudioInfo,
  { sequence, startTicks, durationTicks }: TimelineEntry,
): Silence =>
  makeSilence(stream, run, name, info, sequence, startTicks, startTicks + durationTicks);
