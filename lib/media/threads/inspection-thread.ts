/** Module of the threads that read what encoders upload. */

import { readNewestFiles } from '../../playlist/newest-files.ts';
import { parseCaptions } from '../captions/parse-captions.ts';
import { inspectInit, inspectSegment } from '../inspect.ts';
import { serveTasks } from './tasks.ts';

const TASKS = {
  inspectSegment,
  inspectInit,
  parseCaptions: async (...args: Parameters<typeof parseCaptions>) => parseCaptions(...args),
  readNewestFiles: async (...args: Parameters<typeof readNewestFiles>) => readNewestFiles(...args),
};
export type InspectionTasks = typeof TASKS;

serveTasks(TASKS);
