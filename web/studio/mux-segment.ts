/** One segment as the server takes it: init segment and one fragment, with the times of the session. */

import {
  type AudioCodec,
  BufferTarget,
  CmafOutputFormat,
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Output,
  type VideoCodec,
} from 'mediabunny';
import type { CutSegment } from './segment-cutter.ts';

export type EncodedFrame = Readonly<{
  timeUs: number;
  isKey: boolean;
  /** Of an encoder. */
  isFirst?: boolean;
  bytes: Uint8Array;
}>;
export type EncodedSound = Readonly<{ timeUs: number; durationUs: number; bytes: Uint8Array }>;

/** What the encoders say of their output, once they have given some. */
export type SegmentCodecs = Readonly<{
  video: VideoDecoderConfig;
  audio?: AudioDecoderConfig | undefined;
}>;

const VIDEO_NAMES: Readonly<Record<string, VideoCodec>> = { avc1: 'avc', vp09: 'vp9' };
const audioNameOf = (codec: string): AudioCodec => (codec.startsWith('mp4a') ? 'aac' : 'opus');

/** Throws Error for codecs that MP4 does not carry. A segment without sound has no track for it. */
export async function muxSegment(
  { video, audio }: CutSegment<EncodedFrame, EncodedSound>,
  codecs: SegmentCodecs,
): Promise<Uint8Array<ArrayBuffer>> {
  const [init, media] = [new BufferTarget(), new BufferTarget()];
  const output = new Output({ format: new CmafOutputFormat(), target: media, initTarget: init });
  const videoName = VIDEO_NAMES[codecs.video.codec.slice(0, 4)];
  if (!videoName) throw new Error(`${codecs.video.codec} is not for this container.`);
  const pictures = new EncodedVideoPacketSource(videoName);
  output.addVideoTrack(pictures);
  const soundConfig = audio.length > 0 ? codecs.audio : undefined;
  const sound = soundConfig && new EncodedAudioPacketSource(audioNameOf(soundConfig.codec));
  if (sound) output.addAudioTrack(sound);
  await output.start();
  await Promise.all([
    addAll(
      video.map(({ packet, durationUs }) => ({ ...packet, durationUs })),
      (packet) => pictures.add(packet, { decoderConfig: codecs.video }),
    ),
    sound &&
      addAll(
        audio.map((packet) => ({ ...packet, isKey: true })),
        (packet) => sound.add(packet, { decoderConfig: soundConfig }),
      ),
  ]);
  await output.finalize();
  const parts = [init.buffer, media.buffer].map(
    (part) => new Uint8Array(part ?? new ArrayBuffer(0)),
  );
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  whole.set(parts[0] ?? []);
  whole.set(parts[1] ?? [], parts[0]?.length);
  return whole;
}

async function addAll(
  packets: readonly (EncodedFrame & Readonly<{ durationUs: number }>)[],
  add: (packet: EncodedPacket) => Promise<void>,
): Promise<void> {
  for (const { bytes, isKey, timeUs, durationUs } of packets) {
    await add(new EncodedPacket(bytes, isKey ? 'key' : 'delta', timeUs / 1e6, durationUs / 1e6));
  }
}
