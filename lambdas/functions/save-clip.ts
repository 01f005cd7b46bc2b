import { saveClipHandler } from '../api/clips.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = keyedFunction(saveClipHandler, { store: recordStore() });
