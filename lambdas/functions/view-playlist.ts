import { viewPlaylistHandler } from '../api/view.ts';
import { observedApi } from '../observability.ts';
import { functionDeps, streamIndex } from './ports.ts';

export const handler = observedApi(viewPlaylistHandler(functionDeps({ index: streamIndex() })));
