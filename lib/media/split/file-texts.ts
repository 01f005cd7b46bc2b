/** What a whole file says in words: its chapters, and its subtitles as WebVTT. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  chapterArgs,
  type FileInput,
  listStreamsArgs,
  subtitleArgs,
} from '../../ffmpeg/file-args.ts';
import { FfmpegError, runFfmpeg } from '../../ffmpeg/run.ts';
import { serveFile } from './file-server.ts';
import type { FileFormat, SourceFile } from './source-file.ts';

/** Times of the file's clock. */
export type Chapter = Readonly<{ startSeconds: number; endSeconds: number; title: string }>;

export type SubtitleTrack = Readonly<{
  /** ISO 639-2, as containers say it; `und`. */
  language: string;
  isForced: boolean;
  isForHearingImpaired: boolean;
  /** Its zero is that of the file's clock. */
  webvtt: Uint8Array;
}>;

/** Headers are read in a moment, subtitles lie everywhere in the file. */
const HEADER_MS = 60_000;
const SUBTITLES_MS = 30 * 60_000;
const MAX_CHAPTERS = 1000;
const MAX_TITLE_CHARACTERS = 200;
const MAX_SUBTITLE_TRACKS = 32;

/** Those that are text; others are pictures. */
const TEXT_CODECS: ReadonlySet<string> = new Set([
  ...['subrip', 'srt', 'ass', 'ssa', 'webvtt', 'mov_text', 'text'],
]);

type TextsOptions = Readonly<{ file: SourceFile; format: FileFormat; signal: AbortSignal }>;

/** Formats that have either. */
const hasTexts = (format: FileFormat): boolean => format === 'mov' || format === 'matroska';

/** None, where ffmpeg cannot read them. Throws when the file cannot be reached. */
export const readChapters = (options: TextsOptions): Promise<Chapter[]> =>
  withInput(options, HEADER_MS, [], async (input, signal) => {
    const { stdout } = await runFfmpeg({ args: chapterArgs(input), signal });
    return parseChapters(stdout.toString('utf8'));
  });

/** Text tracks only. Leaves nothing in `workFolder`. Throws when the file cannot be reached. */
export const readSubtitles = (
  options: TextsOptions & Readonly<{ workFolder: string }>,
): Promise<SubtitleTrack[]> =>
  withInput(options, SUBTITLES_MS, [], async (input, signal) => {
    const { stderrTail } = await runFfmpeg({ args: listStreamsArgs(input), signal });
    const listed = parseSubtitleStreams(stderrTail).slice(0, MAX_SUBTITLE_TRACKS);
    if (listed.length === 0) return [];
    const folder = await mkdtemp(join(options.workFolder, 'subtitles-'));
    try {
      const outputs = listed.map(({ stream }) => ({ stream, path: join(folder, `${stream}.vtt`) }));
      await runFfmpeg({ args: subtitleArgs(input, outputs), signal });
      return await Promise.all(
        listed.map(async ({ stream: _, ...track }, index) => ({
          ...track,
          webvtt: await readFile(outputs[index]?.path ?? ''),
        })),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

async function withInput<Result>(
  { file, format, signal }: TextsOptions,
  timeoutMs: number,
  nothing: Result,
  read: (input: FileInput, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (!hasTexts(format)) return nothing;
  const server = await serveFile(file);
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await read({ url: server.url, format }, AbortSignal.any([signal, timeout]));
  } catch (error) {
    const failure = server.failure();
    if (failure) throw failure;
    // Pictures and sound are worth having without.
    if (timeout.aborted || error instanceof FfmpegError) return nothing;
    throw error;
  } finally {
    server.close();
  }
}

/** ffmpeg's metadata format: a section for each chapter, with `\` in front of special characters. */
export function parseChapters(text: string): Chapter[] {
  // A line break in a value, behind its mark; a mark may itself stand behind one.
  const lines = text.replaceAll(/\\([\s\S])/g, (pair, escaped) => (escaped === '\n' ? ' ' : pair));
  const sections = lines.split(/^\[CHAPTER\]$/m).slice(1, 1 + MAX_CHAPTERS);
  return sections.flatMap((section) => {
    const [own = ''] = section.split(/^\[/m);
    const fieldOf = (name: string): string | undefined =>
      own.match(new RegExp(`^${name}=(.*)$`, 'm'))?.[1];
    const [numerator = 1, denominator = 1] = (fieldOf('TIMEBASE') ?? '1/1').split('/').map(Number);
    const startSeconds = (Number(fieldOf('START')) * numerator) / denominator;
    const endSeconds = (Number(fieldOf('END')) * numerator) / denominator;
    if (!(startSeconds >= 0 && endSeconds >= startSeconds)) return [];
    const title = (fieldOf('title') ?? '')
      .replaceAll(/\\(.)/g, '$1')
      .slice(0, MAX_TITLE_CHARACTERS);
    return [{ startSeconds, endSeconds, title }];
  });
}

/** Of ffmpeg's report: `Stream #0:3(eng): Subtitle: subrip (default) (forced)`. */
export function parseSubtitleStreams(
  report: string,
): (Omit<SubtitleTrack, 'webvtt'> & Readonly<{ stream: number }>)[] {
  const line = /^\s*Stream #0:(\d+)(?:\[\w+\])?(?:\((\w+)\))?: Subtitle: (\w+)(.*)$/gm;
  const [inputs = ''] = report.split(/^Output #/m);
  return [...inputs.matchAll(line)].flatMap(
    ([, stream, language = 'und', codec = '', flags = '']) =>
      TEXT_CODECS.has(codec)
        ? [
            {
              ...{ stream: Number(stream), language },
              isForced: flags.includes('(forced)'),
              isForHearingImpaired: flags.includes('(hearing impaired)'),
            },
          ]
        : [],
  );
}
