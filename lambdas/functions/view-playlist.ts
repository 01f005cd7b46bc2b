import { viewPlaylistHandler } from '../api/view.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(viewPlaylistHandler, {
  media: mediaStore(),
  store: recordStore(),
});
