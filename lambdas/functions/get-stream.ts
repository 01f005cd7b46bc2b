import { getStreamHandler } from '../api/streams.ts';
import { observedApi } from '../observability.ts';
import { readOwnerKey } from './owner-key.ts';
import { functionDeps, streamIndex } from './ports.ts';

const ownerKey = await readOwnerKey();
const deps = functionDeps({ index: streamIndex(), ownerKey });

export const handler = observedApi(getStreamHandler(deps), ownerKey.refresh);
