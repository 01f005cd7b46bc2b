/** Run by tests as a process of its own, over an IPC channel: one more receiver of a queue. */

import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';

const [folder = '', mode = ''] = process.argv.slice(2);
// No polls: a receiver that waits gets what it is notified of.
const ports = embeddedPorts(openDataFolder(folder), { fallbackPollMs: 3_600_000 });
const { liveJobs } = ports.queues;

for (;;) {
  const receiving = liveJobs.receive({ max: 3, waitMs: 3_600_000, leaseMs: 600_000 });
  // From now on it either has messages or is listening.
  process.send?.('waiting');
  const batch = await receiving;
  const bodies = batch.map(({ body }) => body);
  if (mode === 'take') await liveJobs.acknowledge(batch.map(({ receipt }) => receipt));
  process.send?.(bodies);
  // As if there were work to do, so that one process alone cannot take everything.
  await new Promise((resolve) => setTimeout(resolve, 2));
}
