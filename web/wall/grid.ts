/** How tiles share the window. Pure. */

export type Grid = Readonly<{ columns: number; tileWidthPx: number; tileHeightPx: number }>;

const ASPECT = 16 / 9;
/** Smaller pictures show nothing: then the wall scrolls. */
const MIN_WIDTH_PX = 150;

/** The grid of the largest tiles of 16:9 that fit; of equal ones that with the fewest columns. */
export function gridOf(count: number, widthPx: number, heightPx: number, gapPx: number): Grid {
  const width = (columns: number): number => {
    const rows = Math.ceil(count / columns);
    const byHeight = ((heightPx - gapPx * (rows - 1)) / rows) * ASPECT;
    return Math.min((widthPx - gapPx * (columns - 1)) / columns, byHeight);
  };
  let columns = 1;
  for (let more = 2; more <= count; more += 1) if (width(more) > width(columns)) columns = more;
  if (width(columns) >= Math.min(MIN_WIDTH_PX, widthPx)) return sized(columns, width(columns));
  const fitting = Math.max(1, Math.floor((widthPx + gapPx) / (MIN_WIDTH_PX + gapPx)));
  return sized(fitting, Math.max(1, (widthPx - gapPx * (fitting - 1)) / fitting));
}

const sized = (columns: number, widthPx: number): Grid => {
  const tileWidthPx = Math.floor(widthPx);
  return { columns, tileWidthPx, tileHeightPx: Math.floor(tileWidthPx / ASPECT) };
};
