/** A track of WebVTT in ISO BMFF (ISO/IEC 14496-30, 7), as DASH has captions. */

import { hash32 } from '../../domain/hash.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { box, fullBox, u16, u32 } from '../iso-boxes.ts';
import { writeFragment } from './cmaf.ts';
import { writeTrackInit } from './track-init.ts';

/** `from` up to `to`, in ticks of 90 kHz. */
export type TrackCue = Readonly<{
  key: string;
  from: number;
  to: number;
  text: string;
  settings?: string;
}>;

/** On the screen together. Each of them is repeated wherever another one begins or ends. */
const MAX_AT_ONCE = 8;

/** Of the samples of one fragment: nobody reads more, and an answer has an end. */
const MAX_BYTES = 1_000_000;

const RESERVED = [0, 0, 0, 0, 0, 0];

/** The same bytes for all tracks; its time scale is 90 kHz. Styles and regions are not in it. */
export function webVttInit(): Uint8Array {
  const entry = box('wvtt', RESERVED, u16(1), box('vttC', Buffer.from('WEBVTT')));
  return writeTrackInit({
    brands: ['iso6', 'cmfc', 'cwvt'],
    timescale: TICKS_PER_SECOND,
    kind: 'text',
    sampleDescription: fullBox('stsd', 0, 0, u32(1), entry),
  });
}

/**
 * A fragment from `startTicks` up to `endTicks`. Samples lie side by side: each has all cues of its span, or is
 * empty. Cues that begin before make the fragment begin before, too.
 */
export function webVttFragment(
  cues: readonly TrackCue[],
  startTicks: number,
  endTicks: number,
): Uint8Array {
  const shown = cues
    .map((cue) => ({ ...cue, from: Math.max(0, cue.from), to: Math.min(cue.to, endTicks) }))
    .filter(({ from, to }) => from < to);
  // Shaka leaves out what begins before the period: the part within the entry is then a sample of its own.
  const edges = [...shown.flatMap(({ from, to }) => [from, to]), startTicks, endTicks];
  const inOrder = [...new Set(edges)].toSorted((a, b) => a - b);
  let bytesLeft = MAX_BYTES;
  const samples = inOrder.slice(0, -1).map((from, index) => {
    const to = inOrder[index + 1] ?? endTicks;
    const current = shown.filter((cue) => cue.from <= from && to <= cue.to).slice(0, MAX_AT_ONCE);
    const whole = current.length > 0 ? Buffer.concat(current.map(cueBox)) : EMPTY;
    const bytes = whole.byteLength > bytesLeft ? EMPTY : whole;
    bytesLeft -= bytes.byteLength;
    return { bytes, isSync: true, compositionTicks: 0, durationTicks: to - from };
  });
  // Shaka reads a single cue of a sample whose size is not in the run.
  return writeFragment(inOrder[0] ?? startTicks, samples, 1, { sizesInRun: true });
}

const EMPTY = box('vtte');

/** `vsid` is the same in all samples that a cue is divided into. */
const cueBox = ({ key, text, settings }: TrackCue): Uint8Array =>
  box(
    'vttc',
    box('vsid', u32(hash32(key))),
    box('iden', Buffer.from(key)),
    ...(settings === undefined ? [] : [box('sttg', Buffer.from(settings))]),
    box('payl', Buffer.from(text)),
  );
