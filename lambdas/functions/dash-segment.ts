import { dashSegmentHandler } from '../api/dash-segment.ts';
import { apiFunction } from '../runtime/entries.ts';
import { recordStore } from '../runtime/ports.ts';

export const handler = apiFunction(dashSegmentHandler, { store: recordStore() });
