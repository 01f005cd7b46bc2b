/** Whole files made by ffmpeg, cut into segments, and what is in both. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { encodeFile } from '../../lib/media/split/encoded-file.ts';
import { FileSplitter } from '../../lib/media/split/file-splitter.ts';
import type { SourceFile } from '../../lib/media/split/source-file.ts';
import type { InspectedSegment, OpenedFile } from '../../lib/media/split/split-thread.ts';

const run = promisify(execFile);

export type CutFile = Readonly<{
  opened: OpenedFile;
  segments: readonly InspectedSegment[];
  damage: string | undefined;
}>;

export async function sourceFile(path: string): Promise<SourceFile> {
  const bytes = new Uint8Array(await readFile(path));
  return { sizeBytes: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

/** As the job does it, from the start or from where a segment ended. */
export async function cutFile(
  path: string,
  {
    targetSeconds = 2,
    fromSeconds,
  }: Readonly<{ targetSeconds?: number; fromSeconds?: number }> = {},
): Promise<CutFile> {
  const file = await sourceFile(path);
  const splitter = new FileSplitter(file);
  try {
    const opened = await splitter.open();
    const segments: InspectedSegment[] = [];
    const { foreign: encoding, format } = opened;
    if (encoding.video || encoding.audio) {
      const signal = AbortSignal.timeout(120_000);
      const options = { file, format, encoding, targetSeconds, fromSeconds: 0, signal };
      const encoded = encodeFile(splitter, { ...options, maxAudioTracks: 16 });
      for (;;) {
        const next = await encoded.next();
        if (next.done) return { opened, segments, damage: next.value };
        segments.push(next.value);
      }
    }
    const options = { targetSeconds, ...(fromSeconds !== undefined && { fromSeconds }) };
    for (;;) {
      const next = await splitter.next(segments.length === 0 ? options : undefined);
      if (next === 'keyframes') throw new Error('The keyframes are too far apart.');
      if (!('bytes' in next)) return { opened, segments, damage: next.damage };
      segments.push(next);
    }
  } finally {
    await splitter.close();
  }
}

type Packet = Readonly<{ pts: number; hash: string; size: number }>;

/** Of one stream, in order of presentation; times in ticks of 90 kHz. */
export async function packetsOf(path: string, stream = 'v:0'): Promise<readonly Packet[]> {
  const { stdout } = await run(
    'ffprobe',
    [
      ...['-v', 'error', '-select_streams', stream, '-show_data_hash', 'md5', '-show_packets'],
      ...['-show_entries', 'packet=pts,size,data_hash:stream=time_base', '-of', 'json', path],
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const { packets, streams } = JSON.parse(stdout);
  const [numerator, denominator] = streams[0].time_base.split('/').map(Number);
  const scale = (90_000 * numerator) / denominator;
  return packets
    .map((packet: Readonly<{ pts: number; size: string; data_hash: string }>) => ({
      pts: Math.floor(packet.pts * scale + 0.5),
      hash: packet.data_hash,
      size: Number(packet.size),
    }))
    .sort((a: Packet, b: Packet) => a.pts - b.pts);
}
