import { removeClipHandler } from '../api/clips.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = keyedFunction(removeClipHandler, { store: recordStore() });
