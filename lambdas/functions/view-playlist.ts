import { viewPlaylistHandler } from '../api/view.ts';
import { observedApi } from '../runtime/observability.ts';
import { functionDeps, recordStore } from '../runtime/ports.ts';

export const handler = observedApi(viewPlaylistHandler(functionDeps({ store: recordStore() })));
