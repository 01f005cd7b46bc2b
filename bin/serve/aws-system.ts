/**
 * The API, the pages and the media from this machine, over what is deployed to AWS or an emulator.
 * The steps behind the queues run there. Workers run here if the stage was deployed without any
 * (RIVULET_WORKERS=0: nor here, somebody starts them by hand).
 */

import { fileURLToPath } from 'node:url';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { scalingHandler } from '../../lambdas/queue/scaling.ts';
import { awsConfig } from '../../lib/aws/aws-config.ts';
import { awsPorts } from '../../lib/aws/aws-ports.ts';
import { type AwsConnection, CALL_TIMEOUTS, clientOptions } from '../../lib/aws/connection.ts';
import { registerWorker } from '../../lib/aws/static-fleet.ts';
import { ConfigError, type Environment } from '../../lib/base/environment.ts';
import { reportError } from '../../lib/base/log.ts';
import type { ServerConfig } from '../../lib/embedded/embedded-config.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { openerOf } from '../../lib/embedded/open-object.ts';
import { mediaFiles, webPages } from '../../lib/embedded/static-files.ts';
import { hashKey } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { CONTENT_SECURITY_POLICY } from '../../web/build.ts';
import { type Stage, stageDeployedHere } from '../deploy/deployments.ts';
import { localFleet, scalingLimits, startScaling } from './local-fleet.ts';
import {
  mediaThreads,
  pollQueue,
  REQUESTS_GRACE_MS,
  type RunningSystem,
  routesOf,
  STOP_WITHIN_MS,
  WORKERS_GRACE_MS,
} from './running-system.ts';
import { stopParts } from './stop-parts.ts';

const WORKER = fileURLToPath(new URL('../../containers/worker/main.ts', import.meta.url));

/** Throws ConfigError if the stage is not known here. */
export async function startAwsSystem(
  config: ServerConfig,
  pagesFolder: string,
  stageName: string,
): Promise<RunningSystem> {
  const stage = stageDeployedHere(stageName);
  if (!stage) {
    throw new ConfigError([
      `Stage ${stageName} was not deployed from this clone: npm run deploy -- -c stage=${stageName} changes nothing if it was from another one, and tells what is there.`,
    ]);
  }
  const env = { ...process.env, ...stage.engine, AWS_REGION: regionOf(process.env, stage) };
  const aws = awsConfig(env);
  const ports = awsPorts(aws);
  const ownerKey = config.ownerKey ?? (await readSecret(aws.connection, stage.ownerKeySecret));
  const isOurs = aws.service === undefined && config.workers > 0;
  const workers = isOurs ? await startWorkers(config, env, ports) : undefined;
  const deps: Deps = {
    ...withRecords(ports),
    ...mediaThreads(),
    ...(workers && { fleet: workers.fleet }),
    ownerKeyHash: hashKey(ownerKey),
    streamDefaults: stage.streamDefaults,
  };
  const gateway = new Gateway({
    routes: routesOf(deps, pagesFolder),
    mounts: [mediaFiles(openerOf(ports.media)), webPages(pagesFolder, CONTENT_SECURITY_POLICY)],
    report: reportError,
  });
  const address = await gateway.listen(config.port, config.host);
  const scaling = workers && (await startScaling(deps));
  const poller =
    workers &&
    pollQueue('scaling', ports.queues.scaling, scalingHandler(deps, scalingLimits(config)));
  return {
    address,
    ownerKey,
    ownerKeyPlace: config.ownerKey
      ? 'what RIVULET_OWNER_KEY says'
      : `the secret ${stage.ownerKeySecret}`,
    async stop() {
      scaling?.stop();
      const stages = [
        {
          requests: () => gateway.close(REQUESTS_GRACE_MS),
          scaling: () => poller?.stop(),
          workers: () => workers?.stop(),
        },
        { connections: () => ports.close() },
      ];
      return stopParts(stages, STOP_WITHIN_MS, reportError);
    },
  };
}

/** They count as static workers, and so does this process, which starts one when there is work. */
async function startWorkers(
  config: ServerConfig,
  env: Environment,
  ports: Pick<Deps, 'store' | 'clock'>,
) {
  const fleet = localFleet({
    module: WORKER,
    env: {
      ...env,
      RIVULET_JOBS: String(config.jobs),
      RIVULET_STOP_SECONDS: String(WORKERS_GRACE_MS / 1000),
    },
  });
  const presence = await registerWorker(ports, `start-${process.pid}`, reportError);
  return {
    fleet,
    stop: async () => {
      await fleet.stop();
      await presence.leave();
    },
  };
}

/** The region is part of the secret's name. */
const regionOf = ({ AWS_REGION }: Environment, { ownerKeySecret }: Stage): string | undefined =>
  AWS_REGION || ownerKeySecret.split(':')[3];

async function readSecret(connection: AwsConnection, secret: string): Promise<string> {
  const client = new SecretsManagerClient(clientOptions(connection, CALL_TIMEOUTS));
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
  client.destroy();
  if (!SecretString) throw new Error('The secret of the owner key has no text.');
  return SecretString;
}
