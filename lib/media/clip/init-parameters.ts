/** What an init segment of ours says of its track. */

import { type BoxContent, boxesAt, viewOf } from '../iso-boxes.ts';

export type InitParameters = Readonly<{
  timescale: number;
  /** `stsd`, whole. */
  sampleDescription: BoxContent;
  /** Of a picture. */
  widthPx: number;
  heightPx: number;
  /** H.264 level, as `3.1`. */
  level: string;
  /**
   * What a decoder needs to know: tracks that have the same can be joined. Of a picture `avcC`; of sound the
   * object type, the rate and the channels, as what an AudioSpecificConfig may say behind them is the same again.
   */
  decoderConfig: Buffer;
}>;

const MEDIA = ['moov', 'trak', 'mdia'];
/** Of `stsd`, before its first entry; of an entry, before its boxes. */
const STSD_HEADER_BYTES = 8;
const VIDEO_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;
const WIDTH_AT = 24;
/** Of `esds` as we write it (`aacInit`): where the AudioSpecificConfig begins. */
const AAC_CONFIG_AT = 26;

/** Throws Error for what is no init segment of a rendition. */
export function readInit(init: Uint8Array, kind: 'video' | 'audio'): InitParameters {
  const view = viewOf(init);
  const [mdhd] = boxesAt(init, [...MEDIA, 'mdhd']);
  const [stsd] = boxesAt(init, [...MEDIA, 'minf', 'stbl', 'stsd']);
  const isVideo = kind === 'video';
  const [entry] = stsd
    ? boxesAt(init, [isVideo ? 'avc1' : 'mp4a'], {
        bodyStart: stsd.bodyStart + STSD_HEADER_BYTES,
        end: stsd.end,
      })
    : [];
  const [config] = entry
    ? boxesAt(init, [isVideo ? 'avcC' : 'esds'], {
        bodyStart: entry.bodyStart + (isVideo ? VIDEO_ENTRY_BYTES : AUDIO_ENTRY_BYTES),
        end: entry.end,
      })
    : [];
  if (!mdhd || !stsd || !entry || !config) {
    throw new Error(`The init segment of a rendition has no ${kind} track.`);
  }
  const isLarge = view.getUint8(mdhd.bodyStart) === 1;
  return {
    timescale: view.getUint32(mdhd.bodyStart + (isLarge ? 20 : 12)),
    sampleDescription: init.slice(stsd.start, stsd.end),
    widthPx: isVideo ? view.getUint16(entry.bodyStart + WIDTH_AT) : 0,
    heightPx: isVideo ? view.getUint16(entry.bodyStart + WIDTH_AT + 2) : 0,
    level: isVideo ? (view.getUint8(config.bodyStart + 3) / 10).toFixed(1) : '',
    decoderConfig: Buffer.from(
      isVideo
        ? init.slice(config.start, config.end)
        : init.slice(config.bodyStart + AAC_CONFIG_AT, config.bodyStart + AAC_CONFIG_AT + 2),
    ),
  };
}
