import { listClipsHandler } from '../api/clips.ts';
import { apiFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(listClipsHandler, { store: recordStore() });
