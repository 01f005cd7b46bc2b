import { viewMetadataHandler } from '../api/view.ts';
import { observedApi } from '../observability.ts';
import { functionDeps, streamIndex } from './ports.ts';

export const handler = observedApi(viewMetadataHandler(functionDeps({ index: streamIndex() })));
