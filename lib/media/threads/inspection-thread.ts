/** Module of the threads that read what encoders upload. */

import { checkInitSegment, inspectSegment } from '../inspect.ts';
import { serveTasks } from './tasks.ts';

const TASKS = { inspectSegment, checkInitSegment };
export type InspectionTasks = typeof TASKS;

serveTasks(TASKS);
