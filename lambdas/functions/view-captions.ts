import { viewCaptionsHandler } from '../api/view-captions.ts';
import { apiFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(viewCaptionsHandler, {
  media: mediaStore(),
  store: recordStore(),
});
