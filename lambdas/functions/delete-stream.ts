import { deleteStreamHandler } from '../api/streams.ts';
import { observedApi } from '../observability.ts';
import { mediaStore } from './media-store.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, streamIndex } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({ media: mediaStore(), index: streamIndex(), ownerKey });

export const handler = observedApi(deleteStreamHandler(deps), ownerKey.refresh);
