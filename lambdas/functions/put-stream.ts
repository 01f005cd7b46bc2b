import { putStreamHandler } from '../api/put-stream.ts';
import { observedApi } from '../observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  index: streamIndex(),
  queues: { publish: workQueue('publish') },
  ownerKey,
});

export const handler = observedApi(putStreamHandler(deps), ownerKey.refresh);
