/** The ladder as data, and which of its rungs a source deserves. */

/** A rung scales the video to a frame whose short side (the height, in landscape) is `shortSidePx`. */
export type Rung = Readonly<{ name: string; shortSidePx: number; maxrateBps: number }>;

export const DEFAULT_LADDER: readonly Rung[] = [
  { name: '1080p', shortSidePx: 1080, maxrateBps: 4_500_000 },
  { name: '720p', shortSidePx: 720, maxrateBps: 2_500_000 },
  { name: '480p', shortSidePx: 480, maxrateBps: 1_200_000 },
  { name: '360p', shortSidePx: 360, maxrateBps: 700_000 },
  // With its audio it fits a line of 300 kbit/s.
  { name: '240p', shortSidePx: 240, maxrateBps: 140_000 },
];

/** Source video as the plan needs it: display size (rotation and pixel aspect applied). */
export type SourcePicture = Readonly<{
  widthPx: number;
  heightPx: number;
  framesPerSecond: number;
  /** Of a segment that has more of them than the run's first, for the level. */
  peakFramesPerSecond?: number;
}>;

export type PlannedRung = Readonly<{
  name: string;
  widthPx: number;
  heightPx: number;
  maxrateBps: number;
  /** H.264 level, as in Table A-1: '3.1', '4.0'. */
  level: string;
}>;

/** A rung taller than the source is worth encoding, at the source's size, only above this ratio. */
const WORTH_A_RUNG = 1.1;

/** A rung below is for slow lines alone: no source is limited to it, however small its picture. */
const MIN_BEST_BPS = 200_000;

/**
 * The rungs for a source, tallest first. Never upscales: a rung that is taller than the source is
 * left out, unless the source stands clearly above the next rung down (or below all rungs); then
 * that rung is made at the source's own size.
 */
export function planLadder(ladder: readonly Rung[], source: SourcePicture): PlannedRung[] {
  const tallestFirst = ladder.toSorted((a, b) => b.shortSidePx - a.shortSidePx);
  const shortSide = Math.min(source.widthPx, source.heightPx);
  const fitting = tallestFirst.filter((rung) => rung.shortSidePx <= shortSide);
  const above = tallestFirst.findLast((rung) => rung.shortSidePx > shortSide);
  const tallestFit = fitting[0]?.shortSidePx ?? 0;
  const { framesPerSecond, peakFramesPerSecond = framesPerSecond } = source;
  const worthy = above && shortSide > tallestFit * WORTH_A_RUNG ? [above, ...fitting] : fitting;
  const best = tallestFirst.findLast(({ maxrateBps }) => maxrateBps >= MIN_BEST_BPS);
  const isSlow = worthy.every(({ maxrateBps }) => maxrateBps < MIN_BEST_BPS);
  const chosen = best && isSlow ? [best, ...worthy] : worthy;
  return chosen.map(({ name, shortSidePx, maxrateBps }) => {
    const scale = Math.min(1, shortSidePx / shortSide);
    const widthPx = even(source.widthPx * scale);
    const heightPx = even(source.heightPx * scale);
    const level = avcLevel(widthPx, heightPx, peakFramesPerSecond);
    return { name, widthPx, heightPx, maxrateBps, level };
  });
}

/** A rate that is higher by less is measured, not meant: it must not change the level. */
const SAME_RATE = 1.1;

/**
 * The picture that a segment's rungs are planned for: of the shape and rate of the run's first, so that
 * all segments share their init segments; taller, or of a higher level, where the segment is, so that a
 * small or slow first picture does not spoil what follows.
 */
export function pictureForSegment(run: SourcePicture, segment: SourcePicture): SourcePicture {
  const scale = Math.min(segment.widthPx, segment.heightPx) / Math.min(run.widthPx, run.heightPx);
  const { widthPx, heightPx, framesPerSecond } = run;
  const isFaster = segment.framesPerSecond > framesPerSecond * SAME_RATE;
  return {
    ...run,
    ...(scale > 1 && {
      widthPx: Math.round(widthPx * scale),
      heightPx: Math.round(heightPx * scale),
    }),
    ...(isFaster && { peakFramesPerSecond: segment.framesPerSecond }),
  };
}

/** Chroma of 4:2:0 video has half the size, so both sides are even; never larger than the source. */
export const even = (px: number): number => Math.max(2, 2 * Math.floor((px + 0.5) / 2));

/** Frame size in macroblocks and macroblocks per second that each level allows (H.264 Table A-1). */
const LEVELS: readonly (readonly [level: string, frameMacroblocks: number, perSecond: number])[] = [
  ['3.0', 1620, 40_500],
  ['3.1', 3600, 108_000],
  ['3.2', 5120, 216_000],
  ['4.0', 8192, 245_760],
  ['4.2', 8704, 522_240],
  ['5.0', 22_080, 589_824],
  ['5.1', 36_864, 983_040],
  ['5.2', 36_864, 2_073_600],
];

function avcLevel(widthPx: number, heightPx: number, framesPerSecond: number): string {
  const macroblocks = Math.ceil(widthPx / 16) * Math.ceil(heightPx / 16);
  const fits = LEVELS.find(
    ([, frame, perSecond]) => macroblocks <= frame && macroblocks * framesPerSecond <= perSecond,
  );
  return fits?.[0] ?? '5.2';
}
