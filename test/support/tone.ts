/** Tones as elementary streams, and what of a tone is in decoded sound. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type FramedAudioCodec, parseAudioFrame } from '../../lib/media/demux/audio-frames.ts';

const run = promisify(execFile);

/** The packets of an elementary stream, without the headers that containers leave out. */
export function readFrames(codec: FramedAudioCodec, bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const header = parseAudioFrame(codec, bytes, at);
    if (!header) return frames;
    frames.push(bytes.subarray(at + header.headerBytes, at + header.frameBytes));
    at += header.frameBytes;
  }
}

export const readAdts = (bytes: Uint8Array): Uint8Array[] => readFrames('aac', bytes);

const ENCODERS = {
  aac: ['-c:a', 'aac', '-f', 'adts'],
  ac3: ['-c:a', 'ac3', '-f', 'ac3'],
  mp3: ['-c:a', 'libmp3lame', '-write_xing', '0', '-id3v2_version', '0', '-f', 'mp3'],
} as const;

export type ToneOptions = Readonly<{
  codec: keyof typeof ENCODERS;
  toneHz: number;
  sampleRateHz: number;
  channels: number;
  seconds: number;
}>;

/** At half of full scale. */
export async function makeTone(options: ToneOptions): Promise<Uint8Array[]> {
  const { codec, toneHz, sampleRateHz, channels, seconds } = options;
  const tone = `0.5*sin(2*PI*${toneHz}*t)`;
  const expressions = Array.from({ length: channels }, () => tone).join('|');
  const source = `aevalsrc=${expressions}:s=${sampleRateHz}:d=${seconds}`;
  const { stdout } = await run(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, '-b:a', '128k'],
      ...[...ENCODERS[codec], 'pipe:1'],
    ],
    { encoding: 'buffer', maxBuffer: 2 ** 28 },
  );
  return readFrames(codec, stdout);
}

/** The share of a tone in the power of the samples, 0 to 1 (Goertzel). */
export function toneShare(samples: Float32Array, toneHz: number, sampleRateHz: number): number {
  let real = 0;
  let imaginary = 0;
  let power = 0;
  samples.forEach((sample, index) => {
    const angle = (2 * Math.PI * toneHz * index) / sampleRateHz;
    real += sample * Math.cos(angle);
    imaginary += sample * Math.sin(angle);
    power += sample * sample;
  });
  return power === 0 ? 0 : (2 * (real * real + imaginary * imaginary)) / (samples.length * power);
}

export const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
