import { putStreamHandler } from '../api/put-stream.ts';
import { observedApi } from '../runtime/observability.ts';
import { ownerKeyFromSecret } from '../runtime/owner-key.ts';
import { functionDeps, recordStore, workQueues } from '../runtime/ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  store: recordStore(),
  queues: workQueues('publish'),
  ownerKey,
});

export const handler = observedApi(putStreamHandler(deps), ownerKey.refresh);
