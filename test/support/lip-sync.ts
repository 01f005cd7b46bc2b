/** A flash and a beep at the same moments, and how far apart a player puts them. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { boxesIn } from '../../lib/media/iso-boxes.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';

const run = promisify(execFile);

const SAMPLE_RATE = 48_000;

/** A flash of two frames and a beep, about once a second. `rate` as ffmpeg writes it. */
export function flashAndBeep(rate: string, seconds: number, toneHz = 1000): string[] {
  const [numerator = 25, denominator = 1] = rate.split('/').map(Number);
  const fps = numerator / denominator;
  const frames = Math.round(fps);
  const first = frames >> 1;
  const sounds = `between(mod(t,${frames / fps}),${first / fps},${first / fps + 0.1})`;
  const flash = `drawbox=color=white:t=fill:enable='between(mod(n,${frames}),${first},${first + 1})'`;
  return [
    ...[
      '-f',
      'lavfi',
      '-i',
      `testsrc2=s=320x180:r=${rate}:d=${seconds},eq=brightness=-0.4,${flash}`,
    ],
    ...[
      '-f',
      'lavfi',
      '-i',
      `aevalsrc='0.8*sin(2*PI*${toneHz}*t)*${sounds}':s=${SAMPLE_RATE}:d=${seconds}`,
    ],
  ];
}

/** The languages of `inTwoLanguages`; the German beep is a high one. */
export const TONES_HZ = { en: 1000, de: 4000 } as const;
export type Language = keyof typeof TONES_HZ;

/** A flash, and a beep in each language. */
export const inTwoLanguages = (rate: string, seconds: number): string[] => [
  ...flashAndBeep(rate, seconds, TONES_HZ.en),
  ...flashAndBeep(rate, seconds, TONES_HZ.de).slice(4),
  ...['-map', '0:v', '-map', '1:a', '-map', '2:a'],
  ...['-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'],
];

/** H.264 with two B-frames in a row, keyframes every two seconds. */
export const reorderedVideo = (rate: string, isOpen = false): string[] => {
  const [numerator = 25, denominator = 1] = rate.split('/').map(Number);
  const gop = String(2 * Math.round(numerator / denominator));
  return [
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-b_strategy', '0'],
    ...['-g', gop, '-keyint_min', gop, '-pix_fmt', 'yuv420p'],
    ...['-x264-params', `open-gop=${isOpen ? 1 : 0}:scenecut=0:repeat-headers=1`],
    ...['-c:a', 'aac', '-b:a', '128k'],
  ];
};

/** Seconds on one clock, in the order in which they were played. */
type Moments = Readonly<{ flashes: readonly number[]; beeps: readonly number[] }>;

export type Decoded = Moments &
  Readonly<{
    frames: number;
    soundSeconds: number;
    /** Whose beep is heard. */
    language: Language;
    /** What ffmpeg warned of. */
    warnings: readonly string[];
  }>;

const BRIGHT = 190;

const BRIGHTNESS = 'scale=32:18,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-';
const LOUDNESS = 'aformat=channel_layouts=mono,silencedetect=noise=-26dB:d=0.3,volumedetect';
/** Only the German beep is left of it. */
const HIGH = 'highpass=f=2400:p=2:t=q:w=2,highpass=f=2400,highpass=f=2400,volumedetect@high';
const LOUD_DB = -10;

/** As ffmpeg decodes the input, whose times it reads. `audio`: which track, as its `-map` says. */
export async function decodeMoments(
  input: readonly string[],
  tracks: readonly ('video' | 'audio')[] = ['video', 'audio'],
  audio = '0:a:0',
): Promise<Decoded> {
  const outputs = {
    video: ['-map', '0:v:0', '-vf', BRIGHTNESS, '-fps_mode', 'passthrough', '-f', 'null', '-'],
    audio: [LOUDNESS, HIGH].flatMap((filter) => ['-map', audio, '-af', filter, '-f', 'null', '-']),
  };
  const args = [...input, ...tracks.flatMap((track) => outputs[track])];
  const { stdout, stderr } = await run(
    'ffmpeg',
    ['-nostdin', '-hide_banner', '-nostats', '-v', 'level+info', '-copyts', ...args],
    { maxBuffer: 2 ** 28 },
  );
  const frames = Array.from(stdout.matchAll(/pts_time:([\d.-]+)\s+\S+YAVG=([\d.]+)/g), (frame) => ({
    at: Number(frame[1]),
    isBright: Number(frame[2]) > BRIGHT,
  }));
  const flashes = frames.flatMap(({ at, isBright }, index) =>
    isBright && frames[index - 1]?.isBright === false ? [at] : [],
  );
  const ends = stderr.matchAll(/silence_end: ([\d.-]+)/g);
  const samples = stderr.match(/\[Parsed_volumedetect_2 .*n_samples: (\d+)/)?.[1] ?? 0;
  const high = stderr.match(/\[volumedetect@high .*max_volume: (-?[\d.]+) dB/)?.[1];
  return {
    ...{ flashes, beeps: Array.from(ends, ([, at]) => Number(at)) },
    ...{ frames: frames.length, soundSeconds: Number(samples) / SAMPLE_RATE },
    language: Number(high ?? -91) > LOUD_DB ? 'de' : 'en',
    warnings: stderr.split('\n').filter((line) => /\[(?:warning|error|fatal)\]/.test(line)),
  };
}

/** How much later each flash is than its beep, in seconds. Clocks may start over on the way. */
export function lipSyncOf({ flashes, beeps }: Moments): number[] {
  const sounds = rising(beeps);
  return rising(flashes).flatMap((part, index) =>
    part.flatMap((flash) => {
      const near = (sounds[index] ?? []).map((beep) => flash - beep);
      const least = near.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a), 1);
      return Math.abs(least) < 0.4 ? [least] : [];
    }),
  );
}

function rising(times: readonly number[]): number[][] {
  const parts: number[][] = [];
  for (const time of times) {
    const part = parts.at(-1);
    if (part && time > (part.at(-1) ?? 0)) part.push(time);
    else parts.push([time]);
  }
  return parts;
}

export type Appended = Readonly<{ type: string; offsetSeconds: number; base64: string }>;

/** Of a page, where the names of a browser are known. */
const KEEP_APPENDS = `
  const kept = (window.kept = []);
  const add = MediaSource.prototype.addSourceBuffer;
  MediaSource.prototype.addSourceBuffer = function (type) {
    const buffer = add.call(this, type);
    const append = buffer.appendBuffer;
    buffer.appendBuffer = (data) => {
      const bytes = ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
      let text = '';
      for (let at = 0; at < bytes.length; at += 32768) {
        text += String.fromCharCode(...bytes.subarray(at, at + 32768));
      }
      kept.push({ type, offsetSeconds: buffer.timestampOffset, base64: btoa(text) });
      append.call(buffer, data);
    };
    return buffer;
  };
`;

/** Keeps what a player of the page gives to the browser, from the next page on. */
export const recordAppends = (page: Page): Promise<unknown> =>
  page.addInitScript({ content: KEEP_APPENDS });

export const appendsOf = (page: Page): Promise<readonly Appended[]> => page.evaluate('window.kept');

export type Appends = Moments & Readonly<{ beepsOf: ReadonlyMap<Language, readonly number[]> }>;

/** Fragments of one track that follow each other, behind their init segment. */
type AppendedFile = Readonly<{ key: string; appended: Appended; parts: Uint8Array[] }> & {
  lastTicks: number;
};

/** As the browser plays what was appended: at the times of the fragments, plus the offset of the buffer. */
export async function appendedMoments(appends: readonly Appended[]): Promise<Appends> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-lip-sync-'));
  try {
    const flashes: number[] = [];
    const beepsOf = new Map<Language, number[]>();
    for (const { appended, parts } of appendedFiles(appends)) {
      const path = join(folder, 'appended.mp4');
      await writeFile(path, Buffer.concat(parts));
      const track = appended.type.startsWith('video') ? 'video' : 'audio';
      const decoded = await decodeMoments(['-i', path], [track]);
      flashes.push(...decoded.flashes.map((at) => at + appended.offsetSeconds));
      if (decoded.beeps.length === 0) continue;
      const beeps = decoded.beeps.map((at) => at + appended.offsetSeconds);
      beepsOf.set(decoded.language, once([...(beepsOf.get(decoded.language) ?? []), ...beeps]));
    }
    return { flashes: once(flashes), beeps: once([...beepsOf.values()].flat()), beepsOf };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const once = (times: readonly number[]): number[] => [...new Set(times)].sort((a, b) => a - b);

function appendedFiles(appends: readonly Appended[]): readonly AppendedFile[] {
  const inits = new Map<string, Uint8Array>();
  const files: AppendedFile[] = [];
  for (const appended of appends) {
    const bytes = new Uint8Array(Buffer.from(appended.base64, 'base64'));
    const moof = [...boxesIn(bytes)].find(({ type }) => type === 'moof')?.start;
    const kind = appended.type.split('/')[0] ?? '';
    if (moof !== 0) inits.set(kind, bytes.subarray(0, moof));
    if (moof === undefined) continue;
    const init = inits.get(kind) ?? new Uint8Array();
    const fragment = bytes.subarray(moof);
    const { startTicks } = parseCmaf(Buffer.concat([init, fragment]));
    const digest = createHash('sha256').update(init).digest('hex');
    const key = [kind, appended.offsetSeconds, digest].join();
    // What goes back in time, as another language does, is another file: libav discards it else.
    const known = files.findLast((one) => one.key === key && one.lastTicks < startTicks);
    const file = known ?? { key, appended, parts: [init], lastTicks: 0 };
    if (!known) files.push(file);
    file.parts.push(fragment);
    file.lastTicks = startTicks;
  }
  return files;
}
