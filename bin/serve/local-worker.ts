/** A worker process: takes transcode jobs until it is asked to stop. */

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { workerConfig } from '../../lib/embedded/embedded-config.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { runTranscodeJob } from '../../lib/pipeline/jobs/transcode.ts';
import { WorkerLoop } from '../../lib/pipeline/jobs/worker-loop.ts';
import { transcodeJob } from '../../lib/pipeline/message-schemas.ts';

/** Of the ten seconds that the whole system has to end. */
const DRAIN_MS = 6_000;

if (process.env.FFMPEG) useFfmpeg(process.env.FFMPEG);
const config = workerConfig(process.env);
const folder = openDataFolder(config.dataPath);
const ports = embeddedPorts(folder);
const deps = { ...withRecords(ports), media: cachePuts(ports.media) };
const workFolder = join(folder.tmp, `worker-${process.pid}`);
mkdirSync(workFolder, { recursive: true });

const loop = new WorkerLoop({
  queue: ports.queues.transcode,
  concurrency: config.jobs,
  run: async ({ body, signal, alone }) => {
    const job = transcodeJob.parse(JSON.parse(body));
    const threads = alone ? {} : { threads: 1 };
    await runTranscodeJob(deps, job, { workFolder, signal, ...threads });
  },
  report: (error, what) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(JSON.stringify({ level: 'error', what, error: text }));
  },
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, async () => {
    await loop.stop(DRAIN_MS);
    ports.close();
    await rm(workFolder, { recursive: true, force: true });
    process.exit(0);
  });
}
