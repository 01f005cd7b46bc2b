import { listStreamsHandler } from '../api/streams.ts';
import { observedApi } from '../runtime/observability.ts';
import { ownerKeyFromSecret } from '../runtime/owner-key.ts';
import { functionDeps, recordStore } from '../runtime/ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({ store: recordStore(), ownerKey });

export const handler = observedApi(listStreamsHandler(deps), ownerKey.refresh);
