/** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): the two bytes that say what AAC frames are. */

import { AAC_SAMPLE_RATES } from './audio-frames.ts';

export const AAC_LC = 2;

export function aacConfig(objectType: number, sampleRateHz: number, channels: number): Uint8Array {
  const rate = AAC_SAMPLE_RATES.indexOf(sampleRateHz);
  const configuration = channels === 8 ? 7 : channels;
  return Uint8Array.of((objectType << 3) | (rate >> 1), ((rate & 1) << 7) | (configuration << 3));
}
