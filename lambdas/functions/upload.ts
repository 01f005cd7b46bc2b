import { uploadHandler } from '../api/upload.ts';
import { observedApi } from '../observability.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, mediaStore, streamIndex, workQueue } from './ports.ts';

const ownerKey = ownerKeyFromSecret();
const deps = functionDeps({
  media: mediaStore(),
  index: streamIndex(),
  queues: {
    transcode: workQueue('transcode'),
    timers: workQueue('timers'),
    looks: workQueue('looks'),
  },
  ownerKey,
});

export const handler = observedApi(uploadHandler(deps), ownerKey.refresh);
