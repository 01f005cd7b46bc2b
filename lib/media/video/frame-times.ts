/** Gives the pictures that came out of an encoder the times that the source had. Pure. */

export type PictureTimes = Readonly<{
  /** In order of presentation, strictly growing; the first is 0. */
  ticks: readonly number[];
  /** Pictures of the source that the decoder lost. */
  lost: number;
}>;

/** How far the time of a picture may be off through rounding. */
const ROUNDING_TICKS = 2;
/** As many as can be displaced by one wrong time among the pictures that are reordered around it. */
const MAX_STRAYS = 16;

/**
 * `encoded`: as the encoder's file says, in order of presentation, counted from where the source's
 * first picture was put; `source`: from the source's first picture, in order. Demuxers may have read
 * all times of a source later by the same amount. Where pictures are missing at the start, the first
 * one that is there is shown from the segment's start on, so that no hole opens at the seam.
 */
export function restoreTimes(encoded: readonly number[], source: readonly number[]): PictureTimes {
  const lost = Math.max(0, source.length - encoded.length);
  const restored = encoded.length === source.length ? separate(source) : realign(encoded, source);
  const ticks: number[] = [];
  for (const [index, time] of restored.entries()) {
    ticks.push(index === 0 ? 0 : Math.max(time, (ticks[index - 1] ?? 0) + 1));
  }
  return { ticks, lost };
}

/**
 * ffmpeg's fMP4 muxer gives the first picture of an open GOP the time of another one. Where pictures
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

/** The shift under which most pictures meet one of the source. */
function realign(encoded: readonly number[], source: readonly number[]): number[] {
  const [first = 0] = encoded;
  const last = encoded.at(-1) ?? 0;
  const shifts = [0, (source.at(-1) ?? 0) - last, (source[0] ?? 0) - first];
  const known = new Set(source);
  const matches = (shift: number): number =>
    encoded.filter((time) => {
      for (let off = -ROUNDING_TICKS; off <= ROUNDING_TICKS; off += 1) {
        if (known.has(time + shift + off)) return true;
      }
      return false;
    }).length;
  const best = shifts.reduce((a, b) => (matches(b) > matches(a) ? b : a));
  return encoded.map((time) => time + best);
}
