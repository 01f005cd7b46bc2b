/** The threads that serve all pipelines of a test's process. */

import { reportError } from '../../lib/base/log.ts';
import { inspectionThreads, remuxThreads } from '../../lib/media/threads/media-threads.ts';

export const MEDIA_THREADS = {
  inspection: inspectionThreads(reportError),
  remuxing: remuxThreads(reportError),
};
