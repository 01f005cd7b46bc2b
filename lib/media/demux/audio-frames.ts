/** Headers of audio frames in elementary streams, and the configuration of AAC. */

export type FramedAudioCodec = 'aac' | 'mp3' | 'ac3' | 'eac3';

export type AudioFrameHeader = Readonly<{
  /** Of the frame, header included. */
  frameBytes: number;
  /** In front of the raw data: the ADTS header; 0 for the others, whose header belongs to the data. */
  headerBytes: number;
  samples: number;
  sampleRateHz: number;
  channels: number;
  /** RFC 6381. */
  codecString: string;
  /** A part of the frame before it: more channels of the same moment (E-AC-3). */
  dependent: boolean;
}>;

/** `audioObjectType` of AAC-LC (ISO/IEC 14496-3, Table 1.17). */
export const AAC_LC = 2;
export const AAC_FRAME_SAMPLES = 1024;

/** MPEG-4 audio sampling frequencies (ISO/IEC 14496-3, Table 1.18). */
const AAC_SAMPLE_RATES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

export const isAacSampleRate = (sampleRateHz: number): boolean =>
  AAC_SAMPLE_RATES.includes(sampleRateHz);

const PARSERS: Readonly<
  Record<FramedAudioCodec, (bytes: Uint8Array, at: number) => AudioFrameHeader | undefined>
> = { aac: parseAdts, mp3: parseMpegAudio, ac3: parseAc3, eac3: parseAc3 };

/** The frame that begins at `at`; undefined when none does. */
export const parseAudioFrame = (
  codec: FramedAudioCodec,
  bytes: Uint8Array,
  at: number,
): AudioFrameHeader | undefined =>
  at + HEADER_BYTES <= bytes.length ? PARSERS[codec](bytes, at) : undefined;

/** What each frame begins with. */
export const SYNC_BYTES: Readonly<Record<FramedAudioCodec, number>> = {
  aac: 0xff,
  mp3: 0xff,
  ac3: 0x0b,
  eac3: 0x0b,
};

/** Enough of any frame to know its length. */
export const HEADER_BYTES = 7;

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

function parseAdts(bytes: Uint8Array, at: number): AudioFrameHeader | undefined {
  const b1 = byteAt(bytes, at + 1);
  if (bytes[at] !== 0xff || (b1 & 0xf6) !== 0xf0) return undefined;
  const b2 = byteAt(bytes, at + 2);
  const b3 = byteAt(bytes, at + 3);
  const sampleRateHz = AAC_SAMPLE_RATES[(b2 >> 2) & 0x0f];
  const frameBytes = ((b3 & 3) << 11) | (byteAt(bytes, at + 4) << 3) | (byteAt(bytes, at + 5) >> 5);
  const headerBytes = b1 & 1 ? 7 : 9;
  const configuration = ((b2 & 1) << 2) | (b3 >> 6);
  if (!sampleRateHz || frameBytes <= headerBytes) return undefined;
  return {
    frameBytes,
    headerBytes,
    samples: AAC_FRAME_SAMPLES * ((byteAt(bytes, at + 6) & 3) + 1),
    sampleRateHz,
    // 0: the frame says it inside, which encoders of streams do not use.
    channels: configuration === 7 ? 8 : configuration,
    codecString: `mp4a.40.${(b2 >> 6) + 1}`,
    dependent: false,
  };
}

/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1). */
export function aacConfig(objectType: number, sampleRateHz: number, channels: number): Uint8Array {
  const rate = AAC_SAMPLE_RATES.indexOf(sampleRateHz);
  const configuration = channelConfiguration(channels);
  return Uint8Array.of((objectType << 3) | (rate >> 1), ((rate & 1) << 7) | (configuration << 3));
}

/**
 * The channels that the frames of an AudioSpecificConfig hold, which is one for parametric stereo; 0: the
 * frames say it themselves.
 */
export function aacChannels(config: Uint8Array): number {
  const bits = Array.from(config.subarray(0, 6), (byte) => byte.toString(2).padStart(8, '0')).join(
    '',
  );
  const hasOwnRate = bits.slice(5, 9) === '1111';
  const configuration = Number.parseInt(bits.slice(hasOwnRate ? 33 : 9, hasOwnRate ? 37 : 13), 2);
  return configuration === 7 ? 8 : configuration || 0;
}

const channelConfiguration = (channels: number): number => (channels === 8 ? 7 : channels);

const MPEG_RATES: Readonly<Record<number, readonly number[]>> = {
  3: [44_100, 48_000, 32_000],
  2: [22_050, 24_000, 16_000],
  0: [11_025, 12_000, 8000],
};
const LAYER3_KBPS_V1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const LAYER2_KBPS_V1 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const LAYER23_KBPS_V2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** MPEG-1 and MPEG-2 audio, layers II and III (ISO/IEC 11172-3, 2.4.1.3). */
function parseMpegAudio(bytes: Uint8Array, at: number): AudioFrameHeader | undefined {
  const b1 = byteAt(bytes, at + 1);
  const b2 = byteAt(bytes, at + 2);
  if (bytes[at] !== 0xff || (b1 & 0xe0) !== 0xe0) return undefined;
  const version = (b1 >> 3) & 3;
  const layer = 4 - ((b1 >> 1) & 3);
  const sampleRateHz = MPEG_RATES[version]?.[(b2 >> 2) & 3];
  if (!sampleRateHz || layer < 2 || layer > 3) return undefined;
  const rates = version !== 3 ? LAYER23_KBPS_V2 : layer === 3 ? LAYER3_KBPS_V1 : LAYER2_KBPS_V1;
  const kbps = rates[b2 >> 4];
  if (!kbps) return undefined;
  const samples = layer === 3 && version !== 3 ? 576 : 1152;
  const frameBytes = Math.floor(((samples / 8) * kbps * 1000) / sampleRateHz) + ((b2 >> 1) & 1);
  return {
    frameBytes,
    headerBytes: 0,
    samples,
    sampleRateHz,
    channels: byteAt(bytes, at + 3) >> 6 === 3 ? 1 : 2,
    codecString: layer === 3 ? 'mp3' : 'mp4a.40.33',
    dependent: false,
  };
}

const AC3_RATES = [48_000, 44_100, 32_000];
const AC3_KBPS = [
  32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
];
const AC3_CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
const EAC3_BLOCKS = [1, 2, 3, 6];
const SAMPLES_PER_BLOCK = 256;

/** AC-3 and E-AC-3 (ETSI TS 102 366): one sync word; `bsid` distinguishes them. */
function parseAc3(bytes: Uint8Array, at: number): AudioFrameHeader | undefined {
  if (bytes[at] !== 0x0b || bytes[at + 1] !== 0x77) return undefined;
  const b4 = byteAt(bytes, at + 4);
  const bsid = byteAt(bytes, at + 5) >> 3;
  if (bsid > 16) return undefined;
  if (bsid > 10) return parseEac3(bytes, at, b4);
  const sampleRateHz = AC3_RATES[b4 >> 6];
  const kbps = AC3_KBPS[(b4 & 0x3f) >> 1];
  if (!sampleRateHz || !kbps) return undefined;
  const words =
    sampleRateHz === 44_100
      ? Math.floor((kbps * 96_000) / 44_100) + (b4 & 1)
      : (kbps * 96_000) / sampleRateHz;
  const bits = (byteAt(bytes, at + 6) << 8) | byteAt(bytes, at + 7);
  const mode = bits >> 13;
  const mixBits = (mode & 1 && mode !== 1 ? 2 : 0) + (mode & 4 ? 2 : 0) + (mode === 2 ? 2 : 0);
  const lowFrequency = (bits >> (12 - mixBits)) & 1;
  return {
    frameBytes: words * 2,
    headerBytes: 0,
    samples: 6 * SAMPLES_PER_BLOCK,
    sampleRateHz,
    channels: (AC3_CHANNELS[mode] ?? 2) + lowFrequency,
    codecString: 'ac-3',
    dependent: false,
  };
}

function parseEac3(bytes: Uint8Array, at: number, b4: number): AudioFrameHeader | undefined {
  const b2 = byteAt(bytes, at + 2);
  const rateCode = b4 >> 6;
  const halfRate = AC3_RATES[(b4 >> 4) & 3];
  const sampleRateHz = rateCode === 3 ? halfRate && halfRate / 2 : AC3_RATES[rateCode];
  if (!sampleRateHz) return undefined;
  const blocks = rateCode === 3 ? 6 : (EAC3_BLOCKS[(b4 >> 4) & 3] ?? 6);
  return {
    frameBytes: 2 * ((((b2 & 7) << 8) | byteAt(bytes, at + 3)) + 1),
    headerBytes: 0,
    samples: blocks * SAMPLES_PER_BLOCK,
    sampleRateHz,
    channels: (AC3_CHANNELS[(b4 >> 1) & 7] ?? 2) + (b4 & 1),
    codecString: 'ec-3',
    dependent: b2 >> 6 === 1 || ((b2 >> 3) & 7) > 0,
  };
}

/** Tenths of milliseconds of a frame, by the upper five bits of a packet's first byte (RFC 6716, 3.1). */
const SILK = [100, 200, 400, 600];
const HYBRID = [100, 200];
const CELT = [25, 50, 100, 200];
const OPUS_FRAME_SIZES = [SILK, SILK, SILK, HYBRID, HYBRID, CELT, CELT, CELT, CELT].flat();

/** Samples in an Opus packet, at 48 kHz. */
export function opusPacketSamples(packet: Uint8Array): number {
  const head = byteAt(packet, 0);
  const code = head & 3;
  const frames = code === 0 ? 1 : code === 3 ? byteAt(packet, 1) & 0x3f : 2;
  return Math.max(1, frames) * ((OPUS_FRAME_SIZES[head >> 3] ?? 200) * 4.8);
}
