/** Which ffmpeg is used: the one on the PATH, unless the process sets another. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type FfmpegVersion = Readonly<{ major: number; minor: number; text: string }>;

/** `-fps_mode` and `-enc_time_base` as we use them came with 5.1. */
const MIN_MAJOR = 5;
const MIN_MINOR = 1;

const found = new Map<string, Promise<string>>();

let usedPath = 'ffmpeg';

/** Sets the ffmpeg of this process. For processes that read `FFMPEG` from their environment. */
export function useFfmpeg(path: string): void {
  usedPath = path;
}

/** Its path. Throws an Error that says what to install. A success is cached, a failure is not. */
export function findFfmpeg(path = usedPath): Promise<string> {
  const known = found.get(path);
  if (known) return known;
  const search = checkVersion(path);
  found.set(path, search);
  search.catch(() => found.delete(path));
  return search;
}

async function checkVersion(path: string): Promise<string> {
  let banner: string;
  try {
    ({ stdout: banner } = await promisify(execFile)(path, ['-version']));
  } catch (error) {
    throw new Error(
      `ffmpeg cannot be started as "${path}" (${(error as Error).message}). Install ffmpeg ${MIN_MAJOR}.${MIN_MINOR} or newer.`,
      { cause: error },
    );
  }
  const version = parseFfmpegVersion(banner);
  // Builds from a checkout have no number; they are newer than any release that we refuse.
  if (version && !isNewEnough(version)) {
    throw new Error(
      `"${path}" is ffmpeg ${version.text}; ${MIN_MAJOR}.${MIN_MINOR} or newer is needed.`,
    );
  }
  return path;
}

const isNewEnough = ({ major, minor }: FfmpegVersion): boolean =>
  major > MIN_MAJOR || (major === MIN_MAJOR && minor >= MIN_MINOR);

/**
 * From the first line of `ffmpeg -version`: `ffmpeg version 5.1.9-0+deb12u1 …`, `n7.1`; undefined for
 * a build without a number, as `N-118…`.
 */
export function parseFfmpegVersion(banner: string): FfmpegVersion | undefined {
  const match = /^ffmpeg version n?((\d+)\.(\d+)\S*)/.exec(banner);
  if (!match?.[1]) return undefined;
  return { major: Number(match[2]), minor: Number(match[3]), text: match[1] };
}
