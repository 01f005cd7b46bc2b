/** The picture of a rung's piece as VP9, frame by frame at its own times. */

import { BufferSource, EncodedPacket, Input, MP4 } from 'mediabunny';
import type { VideoFacts } from '../../domain/segment.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { BASE_TICKS } from '../../ffmpeg/transcode-args.ts';
import { demuxSegment } from '../demux/demux.ts';
import { writeFragment } from '../mux/cmaf.ts';
import type { FileTrack } from '../mux/write-file.ts';
import { restoreTimestamps } from '../video/restore-timestamps.ts';
import { encodeRungs } from '../video/video-renditions.ts';

export type Vp9Job = Readonly<{
  /** Init segment and fragment. */
  piece: Uint8Array;
  facts: VideoFacts;
  maxrateBps: number;
  threads?: number | undefined;
  folder: string;
  signal: AbortSignal;
}>;

/** What `encodeRungs` throws. */
export async function encodeVp9(job: Vp9Job): Promise<FileTrack> {
  const { piece, facts, maxrateBps, threads, folder, signal } = job;
  const { video } = await demuxSegment(piece);
  if (!video) throw new Error('The piece of a video rendition has no video.');
  const { widthPx, heightPx } = facts;
  const rung = { name: 'vp9', widthPx, heightPx, maxrateBps, level: '' };
  const made = await encodeRungs({
    ...{ video, facts, rungs: [rung], codec: 'vp9', threads, folder, signal },
  });
  const [{ init, samples } = { init: piece, samples: [] }] = made.rungs;
  const shown = restoreTimestamps(
    samples.map(({ ptsTicks }) => ptsTicks - BASE_TICKS),
    video.frames.map(({ ptsTicks }) => ptsTicks - facts.startTicks).sort((a, b) => a - b),
  );
  const lengthTicks = facts.endTicks - facts.startTicks;
  const packets = samples.map(({ bytes, isSync }, index) => {
    const from = shown[index] ?? 0;
    return new EncodedPacket(
      bytes,
      isSync ? 'key' : 'delta',
      ticksToSeconds(facts.startTicks + from),
      ticksToSeconds((shown[index + 1] ?? lengthTicks) - from),
    );
  });
  return {
    ...{ kind: 'video', codec: 'vp9', rotation: 0, packets },
    decoderConfig: await readDecoderConfig(init, samples[0]?.bytes ?? new Uint8Array()),
  };
}

/** As ffmpeg's header has it: profile, level and colours. */
async function readDecoderConfig(init: Uint8Array, frame: Uint8Array): Promise<object | undefined> {
  const sample = { bytes: frame, isSync: true, durationTicks: 1, compositionTicks: 0 };
  const file = Buffer.concat([init, writeFragment(0, [sample], 1)]);
  const input = new Input({ source: new BufferSource(file), formats: [MP4] });
  try {
    const track = await input.getPrimaryVideoTrack();
    return (await track?.getDecoderConfig()) ?? undefined;
  } finally {
    input.dispose();
  }
}
