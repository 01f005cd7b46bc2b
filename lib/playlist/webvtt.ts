/** WebVTT (W3C). */

import { ticksToMs } from '../domain/ticks.ts';

/** `hh:mm:ss.mmm`, to the nearest millisecond; as many hours as it takes. */
export function vttTime(ticks: number): string {
  const ms = Math.round(ticksToMs(ticks));
  const digits = (value: number, count: number): string => String(value).padStart(count, '0');
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return `${digits(Math.floor(hours), 2)}:${digits(Math.floor(minutes), 2)}:${digits(Math.floor(seconds), 2)}.${digits(ms % 1000, 3)}`;
}
