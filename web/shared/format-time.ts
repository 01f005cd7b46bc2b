/** Times as viewers read them. Pure. */

import { currentLanguage, text } from '../texts/text.ts';

/** `75` → `1:15`, `3675` → `1:01:15`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  const padded = (value: number): string => String(value).padStart(2, '0');
  return hours > 0
    ? `${hours}:${padded(minutes)}:${padded(whole % 60)}`
    : `${minutes}:${padded(whole % 60)}`;
}

/** `4000` → `4 s`, `150_000` → `2 min`, `7_800_000` → `2 h 10 min`. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return text('span.seconds', { count: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return text('span.minutes', { count: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return minutes % 60 === 0
      ? text('span.hours', { count: hours })
      : text('span.hoursAndMinutes', { hours, minutes: minutes % 60 });
  }
  const days = Math.floor(hours / 24);
  return days === 1 ? text('span.day') : text('span.days', { count: days });
}

/** The time of day on the viewer's clock, with seconds, as the viewer's language writes it. */
export const formatTimeOfDay = (unixMs: number): string =>
  new Date(unixMs).toLocaleTimeString(currentLanguage(), { timeStyle: 'medium' });

/** To the hundredth of a second, which tells frames apart. */
export const formatPreciseTimeOfDay = (unixMs: number): string =>
  new Date(unixMs).toLocaleTimeString(currentLanguage(), {
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 2,
  });

/** The day and the time on the viewer's clock, as the viewer's language writes them. */
export const formatDay = (unixMs: number): string =>
  new Date(unixMs).toLocaleString(currentLanguage(), { dateStyle: 'medium', timeStyle: 'short' });

/** `2_480_000` → `2.5 Mbit/s`. */
export const formatBitrate = (bitsPerSecond: number): string =>
  bitsPerSecond >= 1e6
    ? `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`;
