/** Run by a test as an engine: starts two workers and waits to be killed. */

import { fileURLToPath } from 'node:url';
import { ChildProcessFleet } from '../../lib/embedded/child-process-fleet.ts';

const fleet = new ChildProcessFleet({
  module: fileURLToPath(new URL('./crashing-worker.ts', import.meta.url)),
  env: process.env,
  graceMs: 5_000,
  onExit: () => {},
});
await fleet.scaleTo(2);
