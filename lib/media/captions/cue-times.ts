/** The line of a cue with its times: `00:01.000 --> 00:02.500 line:0`. */

import { MAX_CUE_TICKS } from '../../domain/captions/caption.ts';
import { ticksToSeconds } from '../../domain/ticks.ts';
import { badCaptions } from './caption-lines.ts';

/** Hours may be left out, and fractions; SubRip has a comma before them. */
const TIME = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?$/;

const TIMES_HINT = 'Write the times as 00:00:01.000 --> 00:00:04.000.';

/** Players take no other settings, and no other values (WebVTT, 6.3). */
const SETTINGS: readonly RegExp[] = [
  /^vertical:(?:rl|lr)$/,
  /^line:-?\d+(?:\.\d+)?%?(?:,(?:start|center|end))?$/,
  /^position:\d+(?:\.\d+)?%(?:,(?:line-left|center|line-right))?$/,
  /^size:\d+(?:\.\d+)?%$/,
  /^align:(?:start|center|end|left|right)$/,
  /^region:[^\s]{1,64}$/,
];

export type CueTimes = Readonly<{ from: number; to: number; settings?: string }>;

/** Ticks; undefined if it is no time. */
export function parseTime(text: string): number | undefined {
  const match = text.match(TIME);
  if (!match) return undefined;
  const [, hours = '0', minutes = '', seconds = '', fraction = ''] = match;
  if (Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return whole * 90_000 + Number(fraction.padEnd(3, '0')) * 90;
}

export const isTimesLine = (text: string): boolean => text.includes('-->');

/** Throws `bad_captions`. Settings that no player takes are left out. */
export function parseTimesLine(line: number, text: string): CueTimes {
  const [start = '', rest = ''] = text.split('-->', 2).map((part) => part.trim());
  const [end = '', ...settings] = rest.split(/[ \t]+/);
  const [from, to] = [start, end].map((time) => {
    const ticks = parseTime(time);
    if (ticks === undefined)
      throw badCaptions(line, `"${time.slice(0, 40)}" is no time.`, TIMES_HINT);
    return ticks;
  }) as [number, number];
  if (to <= from) {
    const message = `the cue ends at ${end}, which is not after its start at ${start}.`;
    throw badCaptions(line, message, 'Correct one of the two times.');
  }
  if (to - from > MAX_CUE_TICKS) {
    throw badCaptions(
      line,
      `the cue lasts ${ticksToSeconds(to - from)} s; an hour is the most.`,
      'Correct its end, or repeat the cue.',
    );
  }
  const known = knownSettings(settings);
  return { from, to, ...(known && { settings: known }) };
}

/** Those that players take; empty: none. */
export const knownSettings = (settings: readonly string[]): string =>
  settings.filter((setting) => SETTINGS.some((pattern) => pattern.test(setting))).join(' ');
