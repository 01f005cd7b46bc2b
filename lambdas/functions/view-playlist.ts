import { viewPlaylistHandler } from '../api/view.ts';
import { apiFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(viewPlaylistHandler, { store: recordStore() });
