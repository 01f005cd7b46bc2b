/**
 * Captions as a track of a movie (3GPP TS 26.245, `tx3g`), as players of mp4 show them: one text at a time, from
 * the start of the movie to its end; where nothing is said it is empty.
 */

import { box, fullBox, u16, u32 } from '../iso-boxes.ts';
import type { TimedSample } from './cmaf.ts';

/** Milliseconds, as captions are written; with 32 bits 49 days. */
export const TEXT_TIMESCALE = 1000;

const FONT_ID = 1;
const CENTRED = 1;
const AT_THE_BOTTOM = 0xff;
const WHITE = [0xff, 0xff, 0xff, 0xff];
const TRANSPARENT = [0, 0, 0, 0];
/** Some samples are forced, and all of them are (QuickTime File Format, "Subtitle sample data"). */
const ALL_FORCED = 0xc000_0000;
/** Twenty lines fill the picture. */
const LINES = 20;
const MIN_FONT_PX = 12;
const MAX_FONT_PX = 255;

/** `stsd`. The text stands at the bottom of the picture, whose size is 0 where there is none. */
export function textDescription({
  widthPx,
  heightPx,
  isForced,
}: Readonly<{ widthPx: number; heightPx: number; isForced: boolean }>): Uint8Array {
  const fontPx = Math.min(MAX_FONT_PX, Math.max(MIN_FONT_PX, Math.round(heightPx / LINES)));
  const style = [...u16(0), ...u16(0), ...u16(FONT_ID), 0, fontPx, ...WHITE];
  const font = Buffer.from('Sans-Serif');
  const entry = box(
    'tx3g',
    [...u32(0), ...u16(0), ...u16(1)],
    [...u32(isForced ? ALL_FORCED : 0), CENTRED, AT_THE_BOTTOM, ...TRANSPARENT],
    [...u16(0), ...u16(0), ...u16(heightPx), ...u16(widthPx)],
    style,
    box('ftab', u16(1), u16(FONT_ID), [font.length], font),
  );
  return fullBox('stsd', 0, 0, u32(1), entry);
}

const MAX_TEXT_BYTES = 0xffff;

/** `durationMs`: until the next text, or none, is shown. */
export function textSample(text: string, durationMs: number): TimedSample {
  const bytes = Buffer.from(text).subarray(0, MAX_TEXT_BYTES);
  return {
    bytes: Buffer.concat([Uint8Array.from(u16(bytes.length)), bytes]),
    ...{ isSync: true, compositionTicks: 0, durationTicks: durationMs },
  };
}
