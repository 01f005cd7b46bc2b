/** The whole system on one machine: gateway, engine, handlers and workers, put together. */

import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  ingestHandler,
  looksHandler,
  publishHandler,
  timersHandler,
  transcodeDeadHandler,
} from '../lambdas/queues.ts';
import { apiHandlers } from '../lambdas/routes.ts';
import { ROUTES, type RouteName } from '../lib/api/routes.ts';
import type { ServerConfig } from '../lib/config.ts';
import {
  DEFAULT_SECONDS_PER_JOB,
  type ScalingLimits,
  UNCALLED_LOOK_INTERVAL_MS,
} from '../lib/domain/scaling.ts';
import { ChildProcessFleet } from '../lib/embedded/child-process-fleet.ts';
import { lockDataFolder } from '../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../lib/embedded/embedded-ports.ts';
import { Gateway } from '../lib/embedded/gateway.ts';
import { grantServer } from '../lib/embedded/grant-server.ts';
import { QueuePoller } from '../lib/embedded/queue-poller.ts';
import { mediaFiles, webPages } from '../lib/embedded/static-files.ts';
import type { Deps } from '../lib/pipeline/deps.ts';
import { sendLook } from '../lib/pipeline/messages.ts';
import { resumeScaling } from '../lib/pipeline/scale.ts';

export type RunningSystem = Readonly<{
  address: AddressInfo;
  ownerKey: string;
  /** Finishes what is under way and ends, within ten seconds. */
  stop(): Promise<void>;
}>;

const WORKER = fileURLToPath(new URL('../containers/transcoder/main.ts', import.meta.url));

/** Of the ten seconds that the system has to end. */
const REQUESTS_GRACE_MS = 3_000;
const WORKERS_GRACE_MS = 8_000;

export async function startSystem(
  config: ServerConfig,
  pagesFolder: string,
): Promise<RunningSystem> {
  const folder = lockDataFolder(config.dataPath);
  const fleet = new ChildProcessFleet({
    module: WORKER,
    env: { ...process.env, RIVULET_DATA: folder.path },
    graceMs: WORKERS_GRACE_MS,
    jobsOf: (owner) => ports.queues.transcode.leasesOf(owner),
    onExit: ({ owner, code, signal, restartInMs }) => {
      ports.releaseOwned(owner);
      if (restartInMs !== undefined) {
        report(
          new Error(
            `Worker ${owner} ended (${signal ?? `code ${code}`}); next in ${restartInMs} ms`,
          ),
          'workers',
        );
      }
    },
  });
  const ports = embeddedPorts(folder, {
    // Without any of its own the engine leaves it to others to start workers on its folder.
    fleet: config.workers > 0 ? fleet : { count: () => fleet.count() },
  });
  ports.releaseAll();
  const ownerKey = config.ownerKey ?? folder.secrets.ownerKey;
  const ownerKeyHash = createHash('sha256').update(ownerKey).digest('hex');
  const deps: Deps = { ...ports, ownerKeyHash };
  const handlers = apiHandlers(deps);
  const grants = grantServer({
    store: ports.media,
    signingKey: folder.secrets.grantSigningKey,
    ingest: ports.queues.ingest,
    clock: ports.clock,
  });
  const gateway = new Gateway({
    routes: Object.entries(ROUTES).map(([name, route]) => ({
      ...route,
      handler: handlers[name as RouteName],
    })),
    mounts: [mediaFiles(ports.media), grants, webPages(pagesFolder)],
    report,
  });
  let address: AddressInfo;
  try {
    address = await gateway.listen(config.port, config.host);
  } catch (error) {
    ports.close();
    folder.unlock();
    throw error;
  }
  await resumeScaling(deps);
  const uncalledLooks = setInterval(() => {
    sendLook(deps, {}).catch((error) => report(error, 'calling for a look at the workers'));
  }, UNCALLED_LOOK_INTERVAL_MS);
  const poll = (
    name: string,
    queue: QueuePollerOptions['queue'],
    handler: QueuePollerOptions['handler'],
    concurrentBatches = 1,
  ) => new QueuePoller({ name, queue, handler, concurrentBatches, report });
  const pollers = [
    poll('publish', ports.queues.publish, publishHandler(deps), 4),
    poll('timers', ports.queues.timers, timersHandler(deps)),
    poll('ingest', ports.queues.ingest, ingestHandler(deps), 2),
    poll('looks', ports.queues.looks, looksHandler(deps, scalingLimits(config))),
    poll('transcode-dead', ports.deadLetters.transcode, transcodeDeadHandler(deps)),
  ];
  return {
    address,
    ownerKey,
    async stop() {
      clearInterval(uncalledLooks);
      await Promise.all([gateway.close(REQUESTS_GRACE_MS), fleet.stop()]);
      await Promise.all(pollers.map((poller) => poller.stop()));
      ports.close();
      folder.unlock();
    },
  };
}

const scalingLimits = ({ workers, jobs, idleMs }: ServerConfig): ScalingLimits => ({
  min: 0,
  max: workers,
  jobsPerWorker: jobs,
  secondsPerJob: DEFAULT_SECONDS_PER_JOB,
  idleMs,
});

type QueuePollerOptions = ConstructorParameters<typeof QueuePoller>[0];

function report(error: unknown, what: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(JSON.stringify({ level: 'error', what, error: text }));
}
