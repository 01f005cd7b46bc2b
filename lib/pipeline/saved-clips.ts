/** The clips of a stream that its owner keeps: spans of its wall clock with a title. Everybody may see them. */

import { createHash } from 'node:crypto';
import type { SavedClipInput } from '../api/clips.ts';
import type { SavedClipView } from '../api/messages.ts';
import { checkBounds } from '../domain/clip.ts';
import { DomainError } from '../domain/errors.ts';
import type { Stream } from '../domain/stream.ts';
import type { Deps } from './deps.ts';
import { wallClockOf } from './markers/marker-times.ts';
import {
  putSavedClip,
  removeSavedClip,
  type SavedClip,
  savedClips,
} from './records/clip-records.ts';

export const MAX_SAVED_CLIPS = 1000;

/**
 * The same span again has the same id: it takes the new title. Throws `bad_request`, `not_started`,
 * `moment_not_found` for a span that the stream has not reached, and `too_many_clips`.
 */
export async function saveClip(
  deps: Pick<Deps, 'records' | 'store' | 'clock'>,
  stream: Stream,
  { from, to, title }: SavedClipInput,
): Promise<SavedClip> {
  const { value: state } = await deps.records.timeline(stream);
  const { startMs: fromMs = 0, endMs: toMs = 0 } = await wallClockOf(deps, stream, state, {
    start: from,
    end: to,
  });
  checkBounds({ from: { instantMs: fromMs }, to: { instantMs: toMs } }, state);
  const id = createHash('sha256').update(`${fromMs} ${toMs}`).digest('hex').slice(0, 16);
  const kept = await savedClips(deps, stream);
  if (kept.length >= MAX_SAVED_CLIPS && !kept.some((one) => one.id === id)) throw tooMany(stream);
  const clip = { id, ...(title !== undefined && { title }), fromMs, toMs };
  await putSavedClip(deps, stream, clip);
  return clip;
}

/** By their start. */
export async function listClips(deps: Pick<Deps, 'store'>, stream: Stream): Promise<SavedClip[]> {
  const clips = await savedClips(deps, stream);
  return clips.toSorted((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs);
}

/** Also when it was removed before. */
export const forgetClip = async (
  deps: Pick<Deps, 'store'>,
  stream: Stream,
  id: string,
): Promise<void> => {
  await removeSavedClip(deps, stream, id);
};

export function clipView(
  { videoId }: Stream,
  { id, title, fromMs, toMs }: SavedClip,
): SavedClipView {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString()) as [string, string];
  const hls = `/viewstream/${videoId}/clip?from=${from}&to=${to}`;
  return { id, ...(title !== undefined && { title }), from, to, hls };
}

const tooMany = ({ videoId }: Stream): DomainError =>
  new DomainError(
    'too_many_clips',
    `Stream "${videoId}" keeps ${MAX_SAVED_CLIPS} clips, which is the most.`,
    'Remove one that is not needed any more: DELETE /clips/{videoId}/{id}.',
  );
