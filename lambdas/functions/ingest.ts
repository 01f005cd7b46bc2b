import { loadInspection } from '../../lib/pipeline/upload.ts';
import { ingestHandler } from '../ingest.ts';
import { observedQueue } from '../observability.ts';
import { afterStart } from './after-start.ts';
import { mediaStore } from './media-store.ts';
import { functionDeps, streamIndex, workQueue } from './ports.ts';

const deps = functionDeps({
  media: mediaStore(),
  index: streamIndex(),
  queues: {
    transcode: workQueue('transcode'),
    timers: workQueue('timers'),
    looks: workQueue('looks'),
  },
});

afterStart(loadInspection);

export const handler = observedQueue(ingestHandler(deps));
