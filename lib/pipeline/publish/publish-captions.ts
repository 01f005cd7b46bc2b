/** Shows new revisions of captions to viewers: numbered in the timeline's state, whose only writer is the publisher. */

import { type CaptionsState, NO_CAPTIONS } from '../../domain/captions/caption.ts';
import type { CaptionChange } from '../../domain/captions/caption-log.ts';
import type { Stream } from '../../domain/stream.ts';
import type { Deps } from '../deps.ts';
import {
  type CueSetName,
  type CueSetRecord,
  findCueSet,
  MAX_PUBLISHED_SETS,
  type PublishedCaptions,
  publishCaptionChanges,
} from '../records/caption-records.ts';

type Parts = Pick<Deps, 'records' | 'store'>;

/** Names of sets; one with an empty name is the removal of its whole track. */
export async function publishCaptions(
  deps: Parts,
  stream: Stream,
  names: readonly CueSetName[],
): Promise<void> {
  for (let from = 0; from < names.length; from += MAX_PUBLISHED_SETS) {
    const some = names.slice(from, from + MAX_PUBLISHED_SETS);
    while (!(await publishSome(deps, stream, some)));
  }
}

/** false: another write came between. */
async function publishSome(
  deps: Parts,
  stream: Stream,
  names: readonly CueSetName[],
): Promise<boolean> {
  const timeline = await deps.records.timeline(stream);
  const found = await Promise.all(
    names.map(({ track, set }) =>
      set === '' ? undefined : findCueSet(deps, stream, { track, set }),
    ),
  );
  let captions = timeline.value.captions ?? NO_CAPTIONS;
  const published: PublishedCaptions[] = [];
  for (const [index, name] of names.entries()) {
    const { track, set } = name;
    const one = found[index];
    const version = captions.version + 1;
    if (set === '') {
      if (!captions.tracks[track]) continue;
      captions = withoutTrack(captions, track);
      published.push({ change: { version, track } });
    } else if (one && one.value.revision > one.value.publishedRevision) {
      const { content, revision } = one.value;
      const change: CaptionChange = { version, track, set, ...(content && { content }) };
      captions = withSet(captions, name, one.value);
      const value = { ...one.value, publishedRevision: revision };
      published.push({ change, record: { name, value, version: one.version } });
    }
  }
  if (published.length === 0) return true;
  const { value, version } = timeline;
  return publishCaptionChanges(deps, stream, published, { value: { ...value, captions }, version });
}

function withSet(
  captions: CaptionsState,
  { track: name }: CueSetName,
  { track, content, weight }: CueSetRecord,
): CaptionsState {
  const version = captions.version + 1;
  const since = captions.tracks[name]?.since ?? version;
  const tracks = content ? { ...captions.tracks, [name]: { ...track, since } } : captions.tracks;
  return { ...captions, version, weight: captions.weight + weight, tracks };
}

function withoutTrack(captions: CaptionsState, name: string): CaptionsState {
  const { [name]: removed, ...tracks } = captions.tracks;
  const { removedChannels = [] } = captions;
  const { channel } = removed ?? {};
  return {
    ...{ ...captions, version: captions.version + 1, tracks },
    ...(channel && { removedChannels: [...removedChannels, channel] }),
  };
}
