/** Gives the frames that came out of an encoder the source's timestamps. Pure. */

/** How far a frame's time may be off through rounding. */
const ROUNDING_TICKS = 2;
/** As many as can be displaced by one wrong time among the frames that are reordered around it. */
const MAX_STRAYS = 16;

/**
 * Ticks in order of presentation, strictly growing; the first is 0.
 *
 * `encoded`: as the encoder's file says, in order of presentation, counted from where the source's
 * first frame was put; `source`: from the source's first frame, in order. Demuxers may have read
 * all times of a source later by the same amount. Where the decoder lost frames at the start, the
 * first one that is left is shown from the segment's start on, so that no gap opens at the seam.
 */
export function restoreTimestamps(encoded: readonly number[], source: readonly number[]): number[] {
  const restored = encoded.length === source.length ? separate(source) : realign(encoded, source);
  const ticks: number[] = [];
  for (const [index, time] of restored.entries()) {
    ticks.push(index === 0 ? 0 : Math.max(time, (ticks[index - 1] ?? 0) + 1));
  }
  return ticks;
}

/**
 * ffmpeg's fMP4 muxer gives the first frame of an open GOP the time of another one. Where frames
 * share a time and the rate is constant, they belong at equal distances.
 */
function separate(source: readonly number[]): readonly number[] {
  const last = source.at(-1) ?? 0;
  const collides = source.some((time, index) => time === source[index + 1]);
  const step = last / (source.length - 1);
  const strays = source.filter((time, index) => Math.abs(time - index * step) > ROUNDING_TICKS);
  if (!collides || strays.length > MAX_STRAYS) return source;
  return source.map((_, index) => Math.round(index * step));
}

/** Adds the offset under which most frames meet one of the source. */
function realign(encoded: readonly number[], source: readonly number[]): number[] {
  const [first = 0] = encoded;
  const last = encoded.at(-1) ?? 0;
  const offsets = [0, (source.at(-1) ?? 0) - last, (source[0] ?? 0) - first];
  const known = new Set(source);
  const matches = (offset: number): number =>
    encoded.filter((time) => {
      for (let error = -ROUNDING_TICKS; error <= ROUNDING_TICKS; error += 1) {
        if (known.has(time + offset + error)) return true;
      }
      return false;
    }).length;
  const best = offsets.reduce((a, b) => (matches(b) > matches(a) ? b : a));
  return encoded.map((time) => time + best);
}
