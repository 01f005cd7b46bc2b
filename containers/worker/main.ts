/** A worker on AWS: one task of the service, which takes jobs until it is asked to stop. */

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { awsWorkerConfig } from '../../lib/aws/aws-config.ts';
import { awsPorts } from '../../lib/aws/aws-ports.ts';
import { registerWorker } from '../../lib/aws/static-fleet.ts';
import { log, reportError } from '../../lib/base/log.ts';
import { useFfmpeg } from '../../lib/ffmpeg/find.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import type { JobResult } from '../../lib/pipeline/jobs/job-kind.ts';
import { startWorker } from '../../lib/pipeline/jobs/worker.ts';
import { forEachQueue } from '../../lib/ports/queues.ts';
import { HEARTBEAT_FILE, withHeartbeatFile } from './heartbeat-file.ts';
import { TaskProtection } from './task-protection.ts';

/** Left of the time to stop: for giving jobs back and for the process to end. */
const LAST_STEPS_MS = 5_000;

if (process.env.FFMPEG) useFfmpeg(process.env.FFMPEG);
const config = awsWorkerConfig(process.env);
const ports = awsPorts(config);
const worker = `${hostname()}-${process.pid}`;
const workFolder = join(config.temporaryFolder, `worker-${process.pid}`);
mkdirSync(workFolder, { recursive: true });

const protection = config.agentUrl
  ? new TaskProtection({ agentUrl: config.agentUrl, report: reportError })
  : undefined;
const presence = config.service ? undefined : await registerWorker(ports, worker, reportError);

let running = 0;

async function logged(body: string, run: () => Promise<JobResult>): Promise<JobResult> {
  const startedAtMs = performance.now();
  running += 1;
  try {
    const outcome = await run();
    const timeMs = Math.round(performance.now() - startedAtMs);
    log({ level: 'info', what: 'job', ...JSON.parse(body), outcome, timeMs });
    return outcome;
  } finally {
    running -= 1;
  }
}

const heartbeatFile = join(config.temporaryFolder, HEARTBEAT_FILE);
const loop = startWorker({
  deps: {
    ...withRecords(ports),
    queues: forEachQueue((name) =>
      withHeartbeatFile(ports.queues[name], heartbeatFile, reportError),
    ),
  },
  concurrency: config.jobs,
  workFolder,
  report: reportError,
  around: (body, run) =>
    protection ? protection.during(() => logged(body, run)) : logged(body, run),
});
log({ level: 'info', what: 'started', worker, jobs: config.jobs });

async function stop(): Promise<void> {
  log({ level: 'info', what: 'stopping', worker, running });
  await loop.stop(Math.max(config.stopMs / 2, config.stopMs - LAST_STEPS_MS));
  await protection?.close();
  await presence?.leave();
  ports.close();
  await rm(workFolder, { recursive: true, force: true });
  log({ level: 'info', what: 'stopped', worker });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stop().then(
      () => process.exit(0),
      (error) => {
        reportError(error, 'stopping');
        process.exit(1);
      },
    );
  });
}
