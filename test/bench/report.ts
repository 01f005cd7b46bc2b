/** What a bench measured, and how it stands against the budgets. */

import { readFile } from 'node:fs/promises';

/** A figure without a budget explains one that has. */
export type Figure = Readonly<{ name: string; value: number; note?: string }>;

type Budget = Readonly<{ atLeast?: number; atMost?: number }>;

/** Prints the table; false if a budget is not kept. */
export async function report(figures: readonly Figure[]): Promise<boolean> {
  const path = new URL('./budgets.json', import.meta.url);
  const budgets = JSON.parse(await readFile(path, 'utf8')) as Record<string, Budget>;
  let kept = true;
  console.log('\n| figure | measured | budget | |\n| --- | ---: | ---: | --- |');
  for (const { name, value, note = '' } of figures) {
    const budget = budgets[name];
    const holds =
      value >= (budget?.atLeast ?? Number.NEGATIVE_INFINITY) &&
      value <= (budget?.atMost ?? Number.POSITIVE_INFINITY);
    kept &&= holds;
    const bound = budget?.atLeast !== undefined ? `≥ ${budget.atLeast}` : `≤ ${budget?.atMost}`;
    const verdict = budget ? (holds ? 'kept' : '**broken**') : note;
    console.log(`| ${name} | ${rounded(value)} | ${budget ? bound : ''} | ${verdict} |`);
  }
  return kept;
}

const rounded = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);

/** 0.5: the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
