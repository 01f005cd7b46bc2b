/** A file whose codecs segments cannot carry, or that has too few keyframes: ffmpeg encodes it, the splitter cuts that. */

import { DomainError } from '../../domain/errors.ts';
import { encodeFileArgs, type FileEncoding } from '../../ffmpeg/file-args.ts';
import { FfmpegError, streamFfmpeg } from '../../ffmpeg/run.ts';
import { serveFile } from './file-server.ts';
import type { FileSplitter } from './file-splitter.ts';
import type { FileFormat, SourceFile } from './source-file.ts';
import type { InspectedSegment } from './split-thread.ts';

export type EncodeOptions = Readonly<{
  file: SourceFile;
  format: FileFormat;
  encoding: FileEncoding;
  /** Of the file's clock; the segments' times are counted from here. */
  fromSeconds: number;
  targetSeconds: number;
  maxAudioTracks: number;
  threads?: number;
  signal: AbortSignal;
}>;

/** ffmpeg is killed when nothing has come of it for so long. */
const STALL_MS = 10 * 60_000;

/**
 * Its segments, and at the end why the file could not be read further, if so. Throws DomainError when
 * nothing of the file can be decoded, and any other error when a retry may help.
 */
export async function* encodeFile(
  splitter: FileSplitter,
  options: EncodeOptions,
): AsyncGenerator<InspectedSegment, string | undefined> {
  const { file, format, encoding, targetSeconds } = options;
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(tooSlow()), STALL_MS);
  const server = await serveFile(file);
  const input = { url: server.url, format };
  const ffmpeg = await streamFfmpeg({
    args: encodeFileArgs(input, encoding, options),
    signal: AbortSignal.any([options.signal, stalled.signal]),
  });
  /** Of ffmpeg's end, which comes before the end of what it wrote is read. */
  const damageOf = async (): Promise<string | undefined> => {
    try {
      await ffmpeg.done;
      return undefined;
    } catch (error) {
      const failure = server.failure();
      if (failure) throw failure;
      if (!(error instanceof FfmpegError) || error.killedBy) throw error;
      return error.stderrTail.trim().split('\n').at(-1) ?? '';
    }
  };
  try {
    try {
      await splitter.openStream(ffmpeg.stdout);
    } catch (error) {
      const damage = await damageOf();
      if (damage === undefined) throw error;
      throw undecodable(damage);
    }
    for (let isFirst = true; ; isFirst = false) {
      const next = await splitter.next(isFirst ? { targetSeconds } : undefined);
      if (next === 'keyframes') throw new Error('What ffmpeg encoded has too few keyframes.');
      if (!('bytes' in next)) return (await damageOf()) ?? next.damage;
      timer.refresh();
      yield next;
    }
  } finally {
    clearTimeout(timer);
    ffmpeg.kill();
    server.close();
  }
}

const HINT = 'Play it with ffplay to see; export it anew.';

const undecodable = (reason: string): DomainError =>
  new DomainError('undecodable', `Nothing of the file can be decoded: ${reason}`, HINT);

const tooSlow = (): DomainError =>
  new DomainError(
    'undecodable',
    `Nothing came of the file for ${STALL_MS / 60_000} minutes.`,
    HINT,
  );
