/** A worker process of the embedded engine: takes jobs until it is asked to stop. */

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reportError } from '../../lib/base/log.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { workerConfig } from '../../lib/embedded/embedded-config.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { startWorker } from '../../lib/pipeline/jobs/worker.ts';

/** Of the ten seconds that the whole system has to end. */
const DRAIN_MS = 6_000;

if (process.env.FFMPEG) useFfmpeg(process.env.FFMPEG);
const config = workerConfig(process.env);
const folder = openDataFolder(config.dataPath);
const ports = embeddedPorts(folder);
const workFolder = join(folder.tmp, `worker-${process.pid}`);
mkdirSync(workFolder, { recursive: true });

const worker = startWorker({
  deps: withRecords(ports),
  concurrency: config.jobs,
  workFolder,
  report: reportError,
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await worker.stop(DRAIN_MS);
    ports.close();
    await rm(workFolder, { recursive: true, force: true });
    process.exit(0);
  });
}
