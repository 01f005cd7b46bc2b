import { readFile } from 'node:fs/promises';
import { viewPageHandler } from '../api/view-page.ts';
import { apiFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

/** The built pages lie beside the bundle. */
const source = (name: string) => readFile(new URL(`./${name}.html`, import.meta.url), 'utf8');

export const handler = apiFunction((deps) => viewPageHandler(deps, source), {
  store: recordStore(),
});
