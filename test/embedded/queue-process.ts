/** Run by tests as a process of its own, over an IPC channel: one more receiver of a queue. */

import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';

const [folder = '', mode = ''] = process.argv.slice(2);
const { queues } = embeddedPorts(openDataFolder(folder));
const say = (message: unknown): void => {
  process.send?.(message);
};

say('ready');
for (;;) {
  const batch = await queues.liveJobs.receive({ max: 3, waitMs: 10_000, leaseMs: 600_000 });
  const atMs = Date.now();
  if (mode === 'hold') say({ held: batch.map(({ body }) => body) });
  else {
    await queues.liveJobs.acknowledge(batch.map(({ receipt }) => receipt));
    for (const { body } of batch) say({ body, atMs });
    // As if there were work to do, so that one process alone cannot take everything.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
