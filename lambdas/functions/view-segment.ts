import { viewSegmentHandler } from '../api/view-segment.ts';
import { observedApi } from '../observability.ts';
import { mediaStore } from './media-store.ts';
import { functionDeps, streamIndex } from './ports.ts';

const deps = functionDeps({ media: mediaStore(), index: streamIndex() });

export const handler = observedApi(viewSegmentHandler(deps));
