import { endStreamHandler } from '../api/upload.ts';
import { observedApi } from '../observability.ts';
import { readOwnerKey } from './owner-key.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const ownerKey = await readOwnerKey();
const deps = functionDeps({
  index: streamIndex(),
  queues: { publish: workQueue('publish') },
  ownerKey,
});

export const handler = observedApi(endStreamHandler(deps), ownerKey.refresh);
