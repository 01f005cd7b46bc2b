import { viewSegmentHandler } from '../api/view-segment.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { observedApi } from '../runtime/observability.ts';
import { functionDeps, recordStore } from '../runtime/ports.ts';

const deps = functionDeps({ media: mediaStore(), store: recordStore() });

export const handler = observedApi(viewSegmentHandler(deps));
