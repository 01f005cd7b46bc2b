/** The whole system on one machine: gateway, engine, handlers and workers, put together. */

import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadLetterHandlers, queueHandlers } from '../../lambdas/queue/handlers.ts';
import { ROUTES } from '../../lib/api/routes.ts';
import { defined } from '../../lib/base/defined.ts';
import { reportError } from '../../lib/base/log.ts';
import { DASH_MANIFEST } from '../../lib/domain/media-format.ts';
import { lockDataFolder } from '../../lib/embedded/data-folder.ts';
import type { ServerConfig } from '../../lib/embedded/embedded-config.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { presignedPutServer } from '../../lib/embedded/presigned-put-server.ts';
import { mediaFiles, webPages } from '../../lib/embedded/static-files.ts';
import { whereStorable } from '../../lib/embedded/storage-fault.ts';
import { countingViewers, ViewerCount } from '../../lib/embedded/viewer-count.ts';
import { hashKey } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { DEAD_LETTER_NAMES, isHandled, QUEUE_NAMES, QUEUES } from '../../lib/ports/queues.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';
import { localFleet, scalingLimits, startScaling } from './local-fleet.ts';
import { startRetentionChecks } from './local-retention.ts';
import {
  mediaThreads,
  pollQueue,
  REQUESTS_GRACE_MS,
  type RunningSystem,
  routesOf,
  STOP_WITHIN_MS,
} from './running-system.ts';
import { stopParts } from './stop-parts.ts';

const WORKER = fileURLToPath(new URL('./local-worker.ts', import.meta.url));

export async function startSystem(
  config: ServerConfig,
  pagesFolder: string,
): Promise<RunningSystem> {
  const folder = lockDataFolder(config.dataPath);
  const fleet = localFleet({
    module: WORKER,
    // Workers need no key.
    env: { ...process.env, RIVULET_DATA: folder.path, RIVULET_OWNER_KEY: undefined },
    jobsOf: (owner) => ports.jobsOf(owner),
    onGone: (owner) => ports.releaseOwned(owner),
  });
  const ports = embeddedPorts(folder, {
    // Without workers of its own the engine leaves it to others to start some on its folder.
    fleet: config.workers > 0 ? fleet : { type: 'static', count: () => fleet.count() },
  });
  // On a full disk the leases of the last life end by themselves.
  whereStorable(() => ports.releaseAll());
  const ownerKey = config.ownerKey ?? folder.secrets.ownerKey;
  const viewers = new ViewerCount();
  const deps: Deps = {
    ...withRecords(ports),
    ...mediaThreads(),
    viewersOf: (videoId) => viewers.of(videoId),
    ownerKeyHash: hashKey(ownerKey),
    ...(config.retentionDays > 0 && {
      streamDefaults: { retention: { days: config.retentionDays } },
    }),
  };
  const presignedPuts = presignedPutServer({
    store: ports.media,
    signingKey: folder.secrets.presignSigningKey,
    uploadCompleted: ports.queues.uploadCompleted,
    clock: ports.clock,
  });
  const gateway = new Gateway({
    routes: routesOf(deps, pagesFolder).map((route) => {
      if (route.path === ROUTES.viewPlaylist.path) return countingViewers(route, viewers);
      // Players of DASH ask for the MPD again and again.
      return route.path === ROUTES.viewMetadata.path
        ? countingViewers(route, viewers, `.${DASH_MANIFEST.extension}`)
        : route;
    }),
    mounts: [
      mediaFiles(ports.media),
      presignedPuts,
      webPages(pagesFolder, CONTENT_SECURITY_POLICY),
    ],
    report: reportError,
    ...defined({ countryHeader: config.countryHeader }),
  });
  let address: AddressInfo;
  try {
    address = await gateway.listen(config.port, config.host);
  } catch (error) {
    ports.close();
    folder.unlock();
    throw error;
  }
  const scaling = await startScaling(deps);
  const stopRetention = startRetentionChecks(deps);
  const handlers = queueHandlers(deps, scalingLimits(config));
  const deadHandlers = deadLetterHandlers(deps);
  const pollers = [
    ...QUEUE_NAMES.filter(isHandled).map((name) => ({
      name,
      poller: pollQueue(name, ports.queues[name], handlers[name], QUEUES[name].consumer),
    })),
    ...DEAD_LETTER_NAMES.map((name) => ({
      name: `${name}-dead`,
      poller: pollQueue(`${name}-dead`, ports.deadLetters[name], deadHandlers[name]),
    })),
  ];
  return {
    address,
    ownerKey,
    ownerKeyPlace: config.ownerKey
      ? 'what RIVULET_OWNER_KEY says'
      : `in ${join(folder.path, 'secrets', 'owner-key')}`,
    async stop() {
      scaling.stop();
      stopRetention();
      const stages = [
        { requests: () => gateway.close(REQUESTS_GRACE_MS), workers: () => fleet.stop() },
        Object.fromEntries(pollers.map(({ name, poller }) => [name, () => poller.stop()])),
        { files: () => ports.close() },
        { 'the lock of the data folder': () => folder.unlock() },
      ];
      return stopParts(stages, STOP_WITHIN_MS, reportError);
    },
  };
}
