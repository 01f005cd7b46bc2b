import { getStreamHandler } from '../api/streams.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = keyedFunction(getStreamHandler, { store: recordStore() });
