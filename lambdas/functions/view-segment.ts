import { viewSegmentHandler } from '../api/view.ts';
import { observedApi } from '../observability.ts';
import { functionDeps, mediaStore, streamIndex } from './ports.ts';

const deps = functionDeps({ media: mediaStore(), index: streamIndex() });

export const handler = observedApi(viewSegmentHandler(deps));
