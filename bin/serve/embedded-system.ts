/** The whole system on one machine: gateway, engine, handlers and workers, put together. */

import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { delayedHandler, jobsDeadHandler, publishHandler } from '../../lambdas/queue/handlers.ts';
import { uploadCompletedHandler } from '../../lambdas/queue/upload-completed.ts';
import { lockDataFolder } from '../../lib/embedded/data-folder.ts';
import type { ServerConfig } from '../../lib/embedded/embedded-config.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { presignedPutServer } from '../../lib/embedded/presigned-put-server.ts';
import { QueuePoller, type QueuePollerOptions } from '../../lib/embedded/queue-poller.ts';
import { mediaFiles, webPages } from '../../lib/embedded/static-files.ts';
import { hashKey } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';
import { keepScaled, localFleet } from './local-fleet.ts';
import { REQUESTS_GRACE_MS, type RunningSystem, report, routesOf } from './running-system.ts';

const WORKER = fileURLToPath(new URL('./local-worker.ts', import.meta.url));

export async function startSystem(
  config: ServerConfig,
  pagesFolder: string,
): Promise<RunningSystem> {
  const folder = lockDataFolder(config.dataPath);
  const fleet = localFleet({
    module: WORKER,
    env: { ...process.env, RIVULET_DATA: folder.path },
    jobsOf: (owner) => ports.queues.transcode.leasesOf(owner),
    onGone: (owner) => ports.releaseOwned(owner),
  });
  const ports = embeddedPorts(folder, {
    // Without any of its own the engine leaves it to others to start workers on its folder.
    fleet: config.workers > 0 ? fleet : { count: () => fleet.count() },
  });
  ports.releaseAll();
  const ownerKey = config.ownerKey ?? folder.secrets.ownerKey;
  const deps: Deps = { ...withRecords(ports), ownerKeyHash: hashKey(ownerKey) };
  const grants = presignedPutServer({
    store: ports.media,
    signingKey: folder.secrets.presignSigningKey,
    ingest: ports.queues.ingest,
    clock: ports.clock,
  });
  const gateway = new Gateway({
    routes: routesOf(deps),
    mounts: [mediaFiles(ports.media), grants, webPages(pagesFolder, CONTENT_SECURITY_POLICY)],
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
  const scaling = await keepScaled(deps, config);
  const poll = (
    name: string,
    queue: QueuePollerOptions['queue'],
    handler: QueuePollerOptions['handler'],
    concurrentBatches = 1,
  ) => new QueuePoller({ name, queue, handler, concurrentBatches, report });
  const pollers = [
    poll('publish', ports.queues.publish, publishHandler(deps), 4),
    poll('timers', ports.queues.timers, delayedHandler(deps)),
    poll('ingest', ports.queues.ingest, uploadCompletedHandler(deps), 2),
    poll('transcode-dead', ports.deadLetters.transcode, jobsDeadHandler(deps)),
  ];
  return {
    address,
    ownerKey,
    async stop() {
      await Promise.all([gateway.close(REQUESTS_GRACE_MS), scaling.stop(), fleet.stop()]);
      await Promise.all(pollers.map((poller) => poller.stop()));
      ports.close();
      folder.unlock();
    },
  };
}
