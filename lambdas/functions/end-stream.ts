import { endStreamHandler } from '../api/upload-end.ts';
import { observedApi } from '../observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  index: streamIndex(),
  queues: { publish: workQueue('publish') },
  ownerKey,
});

export const handler = observedApi(endStreamHandler(deps), ownerKey.refresh);
