import { listMarkersHandler } from '../api/markers.ts';
import { apiFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(listMarkersHandler, { store: recordStore() });
