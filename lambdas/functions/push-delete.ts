import { pushDeleteHandler } from '../api/upload-end.ts';
import { keyedFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = keyedFunction(pushDeleteHandler, { store: recordStore() });
