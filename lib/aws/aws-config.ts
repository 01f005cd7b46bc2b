/** Settings of the functions and workers on AWS, as the infrastructure gives them. */

import { tmpdir } from 'node:os';
import {
  type Environment,
  type EnvironmentOf,
  readSettings,
  type SettingsOf,
} from '../base/environment.ts';
import { optional, text, url, wholeNumber, withDefault } from '../base/settings.ts';
import {
  forEachQueue,
  QUEUE_NAMES,
  type QueueName,
  type QueueVariable,
  queueVariable,
} from '../ports/queues.ts';
import type { AwsConnection } from './connection.ts';

const name = text('a name');

/** One variable for each queue's URL. */
const queueSettings = Object.fromEntries(
  QUEUE_NAMES.map((queue) => [queueVariable(queue), url]),
) as Readonly<Record<QueueVariable, typeof url>>;

const engineSettings = {
  AWS_REGION: name,
  /** Of an emulator. The SDK reads it, too; we need to know that it is not AWS that answers. */
  AWS_ENDPOINT_URL: optional(url),
  RIVULET_BUCKET: name,
  RIVULET_TABLE: name,
  ...queueSettings,
  // Both or none: without them workers are started by hand.
  RIVULET_CLUSTER: optional(name),
  RIVULET_SERVICE: optional(name),
};

const workerSettings = {
  ...engineSettings,
  // One encodes while the other one reads or stores.
  RIVULET_JOBS: withDefault(wholeNumber(1, 32), 2),
  // As the task's stopTimeout: 120 is the most that Fargate grants. In less than 5 a poll that is
  // under way might take back what was given back.
  RIVULET_STOP_SECONDS: withDefault(wholeNumber(5, 120), 120),
  // Of the container's agent; ECS sets it.
  ECS_AGENT_URI: optional(url),
  TMPDIR: withDefault(text('the path of a folder'), tmpdir()),
};

/** What the infrastructure sets; the region comes from AWS itself. */
export type AwsEngineEnvironment = Omit<EnvironmentOf<typeof engineSettings>, 'AWS_REGION'>;
export type AwsWorkerEnvironment = Omit<EnvironmentOf<typeof workerSettings>, 'AWS_REGION'>;

export type AwsConfig = Readonly<{
  connection: AwsConnection;
  bucket: string;
  table: string;
  queueUrls: Readonly<Record<QueueName, string>>;
  service?: Readonly<{ cluster: string; service: string }>;
}>;

export type AwsWorkerConfig = AwsConfig &
  Readonly<{
    /** Segments transcoded at once. */
    jobs: number;
    /** From SIGTERM to SIGKILL. */
    stopMs: number;
    /** Where the task's protection is asked for. */
    agentUrl?: string;
    /** The one folder that can be written to. */
    temporaryFolder: string;
  }>;

/** Throws ConfigError. */
export const awsConfig = (env: Environment): AwsConfig =>
  toConfig(readSettings(engineSettings, env, halfService(env)));

/** Throws ConfigError. */
export function awsWorkerConfig(env: Environment): AwsWorkerConfig {
  const settings = readSettings(workerSettings, env, halfService(env));
  return {
    ...toConfig(settings),
    jobs: settings.RIVULET_JOBS,
    stopMs: settings.RIVULET_STOP_SECONDS * 1000,
    ...(settings.ECS_AGENT_URI !== undefined && { agentUrl: settings.ECS_AGENT_URI }),
    temporaryFolder: settings.TMPDIR,
  };
}

function toConfig(settings: SettingsOf<typeof engineSettings>): AwsConfig {
  const { AWS_REGION, AWS_ENDPOINT_URL, RIVULET_CLUSTER, RIVULET_SERVICE } = settings;
  return {
    connection: {
      region: AWS_REGION,
      ...(AWS_ENDPOINT_URL !== undefined && { endpoint: AWS_ENDPOINT_URL }),
    },
    bucket: settings.RIVULET_BUCKET,
    table: settings.RIVULET_TABLE,
    queueUrls: forEachQueue((queue) => settings[queueVariable(queue)]),
    ...(RIVULET_CLUSTER !== undefined &&
      RIVULET_SERVICE !== undefined && {
        service: { cluster: RIVULET_CLUSTER, service: RIVULET_SERVICE },
      }),
  };
}

function halfService({ RIVULET_CLUSTER, RIVULET_SERVICE }: Environment): string[] {
  if (Boolean(RIVULET_CLUSTER) === Boolean(RIVULET_SERVICE)) return [];
  const [absent, given] = RIVULET_SERVICE
    ? ['RIVULET_CLUSTER', 'RIVULET_SERVICE']
    : ['RIVULET_SERVICE', 'RIVULET_CLUSTER'];
  return [`${absent} is not set; expected: together with ${given}, or neither.`];
}
