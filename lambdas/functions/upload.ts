import { loadInspection } from '../../lib/pipeline/upload.ts';
import { uploadHandler } from '../api/upload.ts';
import { observedApi } from '../observability.ts';
import { afterStart } from './after-start.ts';
import { mediaStore } from './media-store.ts';
import { ownerKeyFromSecret } from './owner-key.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

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

afterStart(loadInspection);

export const handler = observedApi(uploadHandler(deps), ownerKey.refresh);
