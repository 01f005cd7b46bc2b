import { pushHandler } from '../api/upload.ts';
import { observedApi } from '../observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, mediaStore, streamIndex, workerFleet, workQueue } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const index = streamIndex();
const deps = functionDeps({
  media: mediaStore(),
  index,
  fleet: workerFleet(index),
  queues: {
    transcode: workQueue('transcode'),
    publish: workQueue('publish'),
    timers: workQueue('timers'),
  },
  ownerKey,
});

export const handler = observedApi(pushHandler(deps), ownerKey.refresh);
