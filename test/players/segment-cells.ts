/** The matrix of segments as files: a row for each format and resolution, two cells for each language. */

import {
  checkByFfprobe,
  checkByMediainfo,
  checkLipSync,
  downloadSegment,
  isRefused,
  SEGMENT_CELLS,
  type SegmentCell,
} from '../support/segment-files.ts';
import { type Scope, temporaryFolder } from '../support/system.ts';
import type { Stage } from './offers.ts';
import { markdownTable } from './table.ts';

/** In the middle of a run: the segment has a neighbour on each side. */
const AT = '3';

export async function segmentCells(
  { system, sourceSync }: Stage,
  t: Scope,
): Promise<Readonly<{ table: string; wrong: number }>> {
  const folder = await temporaryFolder(t);
  const rows = new Map<string, string[]>();
  let wrong = 0;
  for (const cell of SEGMENT_CELLS) {
    const heading = `${cell.format} ${cell.resolution}`;
    const row = rows.get(heading) ?? [heading];
    rows.set(heading, row);
    const query = new URLSearchParams({ timestamp: AT, ...cell });
    const address = `${system.url}/viewstream/show?${query}`;
    const text = await textOf(cell, address, folder, sourceSync).catch((error: Error) => {
      wrong += 1;
      return `✗ ${error.message.split('\n')[0]}`;
    });
    console.error(`${heading} ${cell.lang} | ${text}`);
    row.push(text);
  }
  return { table: markdownTable(['', 'English', 'German'], [...rows.values()]), wrong };
}

async function textOf(
  cell: SegmentCell,
  address: string,
  folder: string,
  sourceSync: number,
): Promise<string> {
  if (isRefused(cell)) {
    const { status } = await fetch(address);
    if (status !== 400) throw new Error(`answered ${status}, although it is refused`);
    return '– refused (H.264)';
  }
  const path = await downloadSegment(address, cell, folder);
  await checkByFfprobe(path, cell);
  await checkLipSync(path, cell, sourceSync);
  const isByBoth = await checkByMediainfo(path, cell);
  return isByBoth ? '✓ ffprobe, MediaInfo' : '✓ ffprobe; no MediaInfo here';
}
