/** Module of a thread that takes tasks when it is told to on the channel `slow-start`. */

import { serveTasks } from '../../lib/media/threads/tasks.ts';

const TASKS = { add: async (a: number, b: number) => a + b };
export type SlowStartTasks = typeof TASKS;

const channel = new BroadcastChannel('slow-start');
channel.postMessage('loaded');
await new Promise((resolve) => {
  channel.onmessage = resolve;
});
channel.close();
serveTasks(TASKS);
