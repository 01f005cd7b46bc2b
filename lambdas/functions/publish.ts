import { publishHandler } from '../queue/publish.ts';
import { queueFunction } from '../runtime/entries.ts';
import { mediaStore } from '../runtime/media-store.ts';
import { measure } from '../runtime/observability.ts';
import { recordStore } from '../runtime/ports.ts';
import { workQueues } from '../runtime/work-queues.ts';

const parts = {
  media: mediaStore(),
  store: recordStore(),
  queues: workQueues('delayed', 'backfillJobs', 'scaling'),
};

export const handler = queueFunction((deps) => publishHandler(deps, measure), parts);
