/** Settings of the functions and workers on AWS, as the infrastructure gives them. */

import { tmpdir } from 'node:os';
import * as z from 'zod';
import { ConfigError, type Environment } from '../config.ts';
import type { QueueName } from '../pipeline/ports.ts';
import type { AwsConnection } from './connection.ts';

const name = z.string('a name');
const url = z.url({ protocol: /^https?$/, error: 'a URL, http:// or https://' });

const numberFrom = (min: number, max: number, otherwise: string) => {
  const expected = `a whole number from ${min} to ${max}`;
  const digits = z.string().regex(/^\d{1,4}$/, expected);
  return digits
    .default(otherwise)
    .transform(Number)
    .pipe(z.int().min(min, expected).max(max, expected));
};

const engineSettings = {
  AWS_REGION: name,
  /** Of an emulator. The SDK reads it, too; we need to know that it is not AWS that answers. */
  AWS_ENDPOINT_URL: url.optional(),
  RIVULET_BUCKET: name,
  RIVULET_TABLE: name,
  RIVULET_TRANSCODE_QUEUE: url,
  RIVULET_PUBLISH_QUEUE: url,
  RIVULET_TIMERS_QUEUE: url,
  RIVULET_INGEST_QUEUE: url,
  RIVULET_LOOKS_QUEUE: url,
  // Both or none: without them workers are started by hand.
  RIVULET_CLUSTER: name.optional(),
  RIVULET_SERVICE: name.optional(),
};

const workerSettings = {
  ...engineSettings,
  // One encodes while the other one reads or stores.
  RIVULET_JOBS: numberFrom(1, 32, '2'),
  // As the task's stopTimeout: 120 is the most that Fargate grants. In less than 5 a poll that is
  // under way might take back what was given back.
  RIVULET_STOP_SECONDS: numberFrom(5, 120, '120'),
  // Of the container's agent, on ECS alone; it says itself where it is.
  ECS_AGENT_URI: url.optional(),
  TMPDIR: z.string().default(tmpdir()),
};

const bothOrNone = (settings: Readonly<{ RIVULET_CLUSTER?: unknown; RIVULET_SERVICE?: unknown }>) =>
  (settings.RIVULET_CLUSTER === undefined) === (settings.RIVULET_SERVICE === undefined);
const NOT_BOTH = { path: ['RIVULET_SERVICE'], error: 'together with RIVULET_CLUSTER, or neither' };

const engineSchema = z.object(engineSettings).refine(bothOrNone, NOT_BOTH);
const workerSchema = z.object(workerSettings).refine(bothOrNone, NOT_BOTH);

/** What the infrastructure sets; the region comes from AWS itself. */
export type AwsEngineEnvironment = Omit<z.input<typeof engineSchema>, 'AWS_REGION'>;
export type AwsWorkerEnvironment = Omit<z.input<typeof workerSchema>, 'AWS_REGION'>;

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
export const awsConfig = (env: Environment): AwsConfig => toConfig(parse(engineSchema, env));

/** Throws ConfigError. */
export function awsWorkerConfig(env: Environment): AwsWorkerConfig {
  const settings = parse(workerSchema, env);
  return {
    ...toConfig(settings),
    jobs: settings.RIVULET_JOBS,
    stopMs: settings.RIVULET_STOP_SECONDS * 1000,
    ...(settings.ECS_AGENT_URI !== undefined && { agentUrl: settings.ECS_AGENT_URI }),
    temporaryFolder: settings.TMPDIR,
  };
}

function toConfig(settings: z.output<typeof engineSchema>): AwsConfig {
  const { AWS_REGION, AWS_ENDPOINT_URL, RIVULET_CLUSTER, RIVULET_SERVICE } = settings;
  return {
    connection: {
      region: AWS_REGION,
      ...(AWS_ENDPOINT_URL !== undefined && { endpoint: AWS_ENDPOINT_URL }),
    },
    bucket: settings.RIVULET_BUCKET,
    table: settings.RIVULET_TABLE,
    queueUrls: {
      transcode: settings.RIVULET_TRANSCODE_QUEUE,
      publish: settings.RIVULET_PUBLISH_QUEUE,
      timers: settings.RIVULET_TIMERS_QUEUE,
      ingest: settings.RIVULET_INGEST_QUEUE,
      looks: settings.RIVULET_LOOKS_QUEUE,
    },
    ...(RIVULET_CLUSTER !== undefined &&
      RIVULET_SERVICE !== undefined && {
        service: { cluster: RIVULET_CLUSTER, service: RIVULET_SERVICE },
      }),
  };
}

function parse<Settings>(schema: z.ZodType<Settings>, env: Environment): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const setting = String(path[0]);
      const value = given[setting];
      const shown = value === undefined ? 'not set' : JSON.stringify(value);
      return `${setting} is ${shown}; expected: ${message}.`;
    }),
  );
}
