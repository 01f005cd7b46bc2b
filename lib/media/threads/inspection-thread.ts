/** Module of the threads that read what encoders upload. */

import { inspectInit, inspectSegment } from '../inspect.ts';
import { serveTasks } from './tasks.ts';

const TASKS = { inspectSegment, inspectInit };
export type InspectionTasks = typeof TASKS;

serveTasks(TASKS);
