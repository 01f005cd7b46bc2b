/** Module of the threads that join the segments that viewers download. */

import { remuxRenditions, remuxSource } from '../mux/remux.ts';
import { serveTasks } from './tasks.ts';

const TASKS = { remuxSource, remuxRenditions };
export type RemuxTasks = typeof TASKS;

serveTasks(TASKS);
