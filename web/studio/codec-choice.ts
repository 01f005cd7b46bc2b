/** Which codecs and sizes a broadcast is encoded with. Pure: what the browser supports is asked by the caller. */

export const QUALITIES = {
  '1080p': { longSidePx: 1920, shortSidePx: 1080, framesPerSecond: 30, bitsPerSecond: 4_500_000 },
  '720p': { longSidePx: 1280, shortSidePx: 720, framesPerSecond: 30, bitsPerSecond: 2_500_000 },
  '480p': { longSidePx: 854, shortSidePx: 480, framesPerSecond: 30, bitsPerSecond: 1_200_000 },
  '360p': { longSidePx: 640, shortSidePx: 360, framesPerSecond: 24, bitsPerSecond: 700_000 },
} as const;

export type QualityName = keyof typeof QUALITIES;

export const qualityNamed = (name: string): QualityName =>
  name in QUALITIES ? (name as QualityName) : '720p';

type Size = Readonly<{ widthPx: number; heightPx: number }>;

/** A source's size, made to fit the quality, with even sides. Sources are never enlarged. */
export function sizeWithin(source: Size, name: QualityName): Size {
  const { longSidePx, shortSidePx } = QUALITIES[name];
  const long = Math.max(source.widthPx, source.heightPx);
  const short = Math.min(source.widthPx, source.heightPx);
  const scale = Math.min(1, longSidePx / long, shortSidePx / short);
  const even = (px: number): number => Math.max(2, 2 * Math.round((px * scale) / 2));
  return { widthPx: even(source.widthPx), heightPx: even(source.heightPx) };
}

/**
 * In order of preference: H.264, which the server need not decode in software that is rarer, then VP9. Each is
 * of a level that holds 1080p30.
 */
const VIDEO_CODECS = ['avc1.640028', 'avc1.4d0028', 'avc1.42e028', 'vp09.00.40.08'] as const;

export type VideoSettings = Size & Readonly<{ framesPerSecond: number; bitsPerSecond: number }>;

export const videoConfig = (
  codec: string,
  { widthPx, heightPx, framesPerSecond, bitsPerSecond }: VideoSettings,
): VideoEncoderConfig => ({
  codec,
  width: widthPx,
  height: heightPx,
  bitrate: bitsPerSecond,
  framerate: framesPerSecond,
  latencyMode: 'realtime',
  ...(codec.startsWith('avc1') && { avc: { format: 'avc' } }),
});

/** undefined: the browser encodes none of the codecs that the server takes. */
export const chooseVideo = (
  settings: VideoSettings,
  isSupported: (config: VideoEncoderConfig) => Promise<boolean>,
): Promise<VideoEncoderConfig | undefined> =>
  firstSupported(
    VIDEO_CODECS.map((codec) => videoConfig(codec, settings)),
    isSupported,
  );

/** Of rate and channels of the sound as it is. undefined: the browser encodes neither AAC nor Opus of it. */
export const chooseAudio = (
  sound: Readonly<{ rateHz: number; channels: number }>,
  isSupported: (config: AudioEncoderConfig) => Promise<boolean>,
): Promise<AudioEncoderConfig | undefined> =>
  firstSupported(
    ['mp4a.40.2', 'opus'].map((codec) => ({
      codec,
      sampleRate: sound.rateHz,
      numberOfChannels: sound.channels,
      bitrate: sound.channels > 1 ? 128_000 : 96_000,
    })),
    isSupported,
  );

async function firstSupported<Config>(
  configs: readonly Config[],
  isSupported: (config: Config) => Promise<boolean>,
): Promise<Config | undefined> {
  for (const config of configs) {
    // A configuration that a browser does not understand is one that it does not support.
    if (await isSupported(config).catch(() => false)) return config;
  }
  return undefined;
}

/** For `MediaRecorder`: fragmented MP4 alone, as the server takes no WebM. */
const RECORDER_TYPES = [
  'video/mp4;codecs=avc1.640028,mp4a.40.2',
  'video/mp4;codecs=avc1.640028,opus',
  'video/mp4;codecs=avc1.42E01E,mp4a.40.2',
  'video/mp4;codecs=vp09.00.40.08,opus',
] as const;

export const chooseRecorderType = (isSupported: (type: string) => boolean): string | undefined =>
  RECORDER_TYPES.find(isSupported);

/** `codecs`: WebCodecs with tracks as streams of frames; `recorder`: MediaRecorder; undefined: neither. */
export type EncodingWay = 'codecs' | 'recorder';

export function chooseWay(
  browser: Readonly<{
    hasFrameStreams: boolean;
    hasCodecs: boolean;
    recorderType?: string | undefined;
  }>,
): EncodingWay | undefined {
  if (browser.hasFrameStreams && browser.hasCodecs) return 'codecs';
  return browser.recorderType === undefined ? undefined : 'recorder';
}
