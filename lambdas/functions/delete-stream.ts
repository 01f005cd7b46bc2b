import { deleteStreamHandler } from '../api/streams.ts';
import { observedApi } from '../observability.ts';
import { readOwnerKey } from './owner-key.ts';
import { functionDeps, mediaStore, streamIndex } from './ports.ts';

const ownerKey = await readOwnerKey();
const deps = functionDeps({ media: mediaStore(), index: streamIndex(), ownerKey });

export const handler = observedApi(deleteStreamHandler(deps), ownerKey.refresh);
