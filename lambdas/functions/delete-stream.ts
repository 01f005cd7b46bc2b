import { deleteStreamHandler } from '../api/streams.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { observedApi } from '../runtime/observability.ts';
import { ownerKeyFromSecret } from '../runtime/owner-key.ts';
import { functionDeps, recordStore } from '../runtime/ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({ media: mediaStore(), store: recordStore(), ownerKey });

export const handler = observedApi(deleteStreamHandler(deps), ownerKey.refresh);
