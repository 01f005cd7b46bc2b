/** Sizes as people read them. Pure. */

import { currentLanguage } from '../texts/text.ts';

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `1_240_000` → `1.2 MB`, in thousands as disks are sold; at least `0 kB`. */
export function formatBytes(bytes: number): string {
  let value = bytes / 1000;
  let unit = 0;
  // What is shown as 1000 is one of the next unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const fraction = unit > 0 && value < 9.95 ? 1 : 0;
  const number = value.toLocaleString(currentLanguage(), { maximumFractionDigits: fraction });
  return `${number} ${UNITS[unit]}`;
}
