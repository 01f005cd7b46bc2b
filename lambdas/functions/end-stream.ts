import { endStreamHandler } from '../api/upload-end.ts';
import { observedApi } from '../runtime/observability.ts';
import { ownerKeyFromSecret } from '../runtime/owner-key.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  store: recordStore(),
  queues: workQueues('publish'),
  ownerKey,
});

export const handler = observedApi(endStreamHandler(deps), ownerKey.refresh);
