/** One audio rendition of a segment becomes those of its pieces. */

import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { parseCmaf, type RenditionSegment, writeFragment } from '../mux/cmaf.ts';

/** `bounds`: ticks from `startTicks` on, at which pieces begin and the last ends. A frame goes where most of it lies. */
export function cutAudio(
  rendition: RenditionSegment,
  startTicks: number,
  bounds: readonly number[],
): RenditionSegment[] {
  if (bounds.length === 2 || rendition.info.kind !== 'audio') return [rendition];
  const { sampleRateHz } = rendition.info;
  const track = parseCmaf(Buffer.concat([rendition.init, rendition.media]));
  const toTicks = (sample: number): number => (sample * TICKS_PER_SECOND) / sampleRateHz;
  const parts = bounds.slice(0, -1).map(() => [] as (typeof track.samples)[number][]);
  const frames = track.samples.map((sample, index) => {
    const end = track.samples[index + 1]?.ptsTicks ?? track.endTicks;
    const middle = toTicks((sample.ptsTicks + end) / 2) - startTicks;
    const part = bounds.findLastIndex((bound, at) => at < parts.length && bound <= middle);
    return { sample, end, part: Math.max(0, part) };
  });
  return parts.flatMap((_, part) => {
    const own = frames.filter((frame) => frame.part === part);
    const first = own[0];
    const last = own.at(-1);
    if (!first || !last) return [];
    const samples = own.map(({ sample, end }) => ({
      bytes: sample.bytes,
      isSync: true,
      durationTicks: end - sample.ptsTicks,
      compositionTicks: 0,
    }));
    const media = writeFragment(first.sample.ptsTicks, samples, 1);
    const from = Math.round(toTicks(first.sample.ptsTicks));
    const times = { startTicks: from, durationTicks: Math.round(toTicks(last.end)) - from };
    return [{ ...rendition, media, ...times }];
  });
}
