import { viewMetadataHandler } from '../api/view.ts';
import { observedApi } from '../runtime/observability.ts';
import { functionDeps, recordStore } from '../runtime/ports.ts';

export const handler = observedApi(viewMetadataHandler(functionDeps({ store: recordStore() })));
