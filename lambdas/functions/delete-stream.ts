import { deleteStreamHandler } from '../api/streams.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = keyedFunction(deleteStreamHandler, {
  media: mediaStore(),
  store: recordStore(),
});
