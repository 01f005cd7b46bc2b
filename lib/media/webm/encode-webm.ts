/** One segment as WebM: VP9 and Opus, encoded from its H.264 and AAC, with the times of those. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../domain/errors.ts';
import { transcodeTimeoutMs } from '../../domain/segment-work.ts';
import { inspectSegment } from '../inspect.ts';
import type { AudioPieces } from '../mux/remux.ts';
import { writeFile } from '../mux/write-file.ts';
import { encodeOpus } from './encode-opus.ts';
import { encodeVp9 } from './encode-vp9.ts';

export type WebmInput = Readonly<{
  video?: Readonly<{ init: Uint8Array; media: Uint8Array; maxrateBps: number }>;
  audio?: AudioPieces;
  /** Of the segment, in ticks of the timeline. */
  bounds: Readonly<{ startTicks: number; endTicks: number }>;
  /** Of each encoder; all cores without it. */
  threads?: number | undefined;
  workFolder: string;
  signal: AbortSignal;
}>;

/** Throws DomainError `undecodable` when another try will not help, any other error when it may. */
export async function encodeWebm(input: WebmInput): Promise<Uint8Array> {
  const { video, audio, bounds, workFolder } = input;
  await mkdir(workFolder, { recursive: true });
  const folder = await mkdtemp(join(workFolder, 'webm-'));
  try {
    const piece = video && Buffer.concat([video.init, video.media]);
    const facts = piece && (await inspectSegment(piece)).facts;
    const timeoutMs = facts ? transcodeTimeoutMs(facts) : AUDIO_TIMEOUT_MS;
    const tooLate = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([input.signal, tooLate]);
    const { threads } = input;
    try {
      const picture =
        piece && facts?.video
          ? await encodeVp9({
              ...{ piece, facts: facts.video, maxrateBps: video.maxrateBps },
              ...{ threads, folder, signal },
            })
          : undefined;
      const sound = audio && (await encodeOpus({ audio, bounds, folder, signal }));
      return await writeFile([...(picture ? [picture] : []), ...(sound ? [sound] : [])], 'webm');
    } catch (error) {
      throw tooLate.aborted && !input.signal.aborted ? tooSlow(timeoutMs) : error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const AUDIO_TIMEOUT_MS = 60_000;

const tooSlow = (timeoutMs: number): DomainError =>
  new DomainError(
    'undecodable',
    `Making it as WebM took longer than ${Math.round(timeoutMs / 1000)} s.`,
    'Ask for format=mp4, or for a smaller resolution.',
  );
