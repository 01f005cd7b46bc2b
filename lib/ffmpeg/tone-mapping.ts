/** How high dynamic range becomes an ordinary picture, by the filters that this ffmpeg has. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from './find.ts';

/** Nits of white in programmes of PQ and HLG (ITU-R BT.2408). */
const WHITE_NITS = 203;

const TRANSFERS = { pq: 'smpte2084', hlg: 'arib-std-b67' } as const;

const YUV_FORMATS = ['yuv420p', 'yuv422p', 'yuv444p'].flatMap((format) => [
  `${format}10le`,
  `${format}12le`,
  format,
]);

const known = new Map<string, Promise<ReadonlySet<string>>>();

/** undefined: this ffmpeg has no such filter, and the picture stays pale. */
export async function toneMapping(transfer: keyof typeof TRANSFERS): Promise<string | undefined> {
  const filters = await filtersOf(await findFfmpeg());
  const source = `tin=${TRANSFERS[transfer]}:pin=2020:min=2020_ncl`;
  if (filters.has('zscale') && filters.has('tonemap')) {
    return [
      // It refuses a matrix for RGB, which other filters convert; the rest is passed through.
      `format=${YUV_FORMATS.join('|')}`,
      `zscale=${source}:t=linear:npl=${WHITE_NITS}`,
      'format=gbrpf32le',
      'zscale=p=709',
      'tonemap=hable:desat=0',
      'zscale=t=709:m=709:r=tv',
      'format=yuv420p',
    ].join(',');
  }
  if (!filters.has('libplacebo')) return undefined;
  return 'libplacebo=tonemapping=hable:colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv:format=yuv420p';
}

function filtersOf(path: string): Promise<ReadonlySet<string>> {
  const listed = known.get(path);
  if (listed) return listed;
  const listing = promisify(execFile)(path, ['-hide_banner', '-filters']).then(
    ({ stdout }) =>
      new Set([...stdout.matchAll(/^ *[A-Z.|]{3} (\w+)/gm)].map(([, name = '']) => name)),
  );
  known.set(path, listing);
  listing.catch(() => known.delete(path));
  return listing;
}
