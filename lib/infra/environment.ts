/**
 * The environment of every process in the cloud: the names that the infrastructure sets and the
 * functions and workers read. Each gets only those that it uses.
 */

export const ENVIRONMENT = {
  bucket: 'RIVULET_BUCKET',
  table: 'RIVULET_TABLE',
  transcodeQueue: 'RIVULET_TRANSCODE_QUEUE_URL',
  publishQueue: 'RIVULET_PUBLISH_QUEUE_URL',
  timersQueue: 'RIVULET_TIMERS_QUEUE_URL',
  ingestQueue: 'RIVULET_INGEST_QUEUE_URL',
  /** Looks of the scaling decision. */
  scaleQueue: 'RIVULET_SCALE_QUEUE_URL',
  /** ECS cluster and service of the workers; absent where nobody starts any. */
  cluster: 'RIVULET_CLUSTER',
  service: 'RIVULET_SERVICE',
  /** ARN of the owner key's secret in Secrets Manager. */
  ownerKeySecret: 'RIVULET_OWNER_KEY_SECRET',
  /** Settings of streams whose owner says nothing, as JSON: `{ ladder, dvrWindowSeconds }`. */
  streamDefaults: 'RIVULET_STREAM_DEFAULTS',
  /** Of the scaling decision, as JSON: its `ScalingLimits`. */
  scalingLimits: 'RIVULET_SCALING_LIMITS',
  stage: 'RIVULET_STAGE',
} as const;

export type EnvironmentName = keyof typeof ENVIRONMENT;
