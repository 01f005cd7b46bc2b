/**
 * What the pages say, in the viewer's language. A language is a file beside this one and a line of
 * `LANGUAGES`; the compiler names the texts that it lacks.
 */

import { ENGLISH, type TextKey, type Texts } from './english.ts';
import { GERMAN } from './german.ts';

export type { TextKey };

const LANGUAGES: ReadonlyMap<string, Texts> = new Map([
  ['en', ENGLISH],
  ['de', GERMAN],
]);

/** The first of the viewer's languages that the pages have; English for all others. */
export const chooseLanguage = (wanted: readonly string[]): string =>
  wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find((tag) => LANGUAGES.has(tag)) ??
  'en';

let language = 'en';

/** Of all texts from now on. */
export function setLanguage(wanted: readonly string[]): void {
  language = chooseLanguage(wanted);
}

export const currentLanguage = (): string => language;

export function text(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  const texts = LANGUAGES.get(language) ?? ENGLISH;
  return texts[key].replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
