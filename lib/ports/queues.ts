/**
 * Every queue, once. The ports, both engines, the pollers, the functions, the alarms and the names in
 * the environment follow from this table: a queue is added by a row here and a handler in
 * `lambdas/queue/handlers.ts`.
 */

export type QueueSpec = Readonly<{
  /**
   * What a message's group does. `ordered`: messages of one group are delivered in order, one batch at
   * a time (SQS: FIFO). `fair`: groups share the receivers, so that a group with a backlog does not
   * delay another (SQS: a standard queue with MessageGroupId, known as fair queues).
   */
  groups?: 'ordered' | 'fair';
  /** How long a delivered message stays invisible: a little longer than its function may run. */
  leaseSeconds: number;
  /**
   * The queue of dead letters that takes what failed too often; several queues may share one. Absent:
   * what failed too often is dropped, because the next message of the same kind makes up for it.
   */
  deadLetters?: 'jobs' | 'publish' | 'delayed' | 'uploadCompleted';
  /** What takes the messages: workers, or a function with so many per call. */
  consumer: 'workers' | Readonly<{ batchSize: number; concurrentBatches: number }>;
  /** Messages older than this are of no use. Absent: four days. */
  retentionSeconds?: number;
}>;

// Workers extend their leases themselves. A queue a class: SQS has no priorities, and one queue would
// make live segments wait behind an archive that is being analysed. Within a class streams share.
const JOBS = {
  groups: 'fair',
  leaseSeconds: 30,
  deadLetters: 'jobs',
  consumer: 'workers',
} as const;

export const QUEUES = {
  liveJobs: JOBS,
  backfillJobs: JOBS,
  analysisJobs: JOBS,
  /** One group per stream: the publisher is the only writer of a stream's timeline. */
  publish: {
    groups: 'ordered',
    leaseSeconds: 35,
    deadLetters: 'publish',
    consumer: { batchSize: 10, concurrentBatches: 4 },
  },
  /** Messages for later; queues with ordered groups cannot delay single ones. */
  delayed: {
    leaseSeconds: 35,
    deadLetters: 'delayed',
    consumer: { batchSize: 1, concurrentBatches: 1 },
  },
  /** The store reports objects that came by a presigned upload. */
  uploadCompleted: {
    leaseSeconds: 130,
    deadLetters: 'uploadCompleted',
    consumer: { batchSize: 1, concurrentBatches: 2 },
  },
  /** Requests to compare the number of workers with the work that waits. */
  scaling: {
    leaseSeconds: 20,
    consumer: { batchSize: 10, concurrentBatches: 1 },
    retentionSeconds: 300,
  },
} as const satisfies Readonly<Record<string, QueueSpec>>;

export type QueueName = keyof typeof QUEUES;

export const QUEUE_NAMES = Object.keys(QUEUES) as readonly QueueName[];

/** Names of the queues of dead letters. */
export type DeadLetterName = Extract<
  (typeof QUEUES)[QueueName],
  { deadLetters: string }
>['deadLetters'];

/** Each queue of dead letters, with the queues that it serves; all of those have the same groups. */
export const DEAD_LETTERS: Readonly<Record<DeadLetterName, readonly QueueName[]>> = Object.groupBy(
  QUEUE_NAMES.filter((name) => specOf(name).deadLetters),
  (name) => specOf(name).deadLetters as DeadLetterName,
) as Record<DeadLetterName, QueueName[]>;

export const DEAD_LETTER_NAMES = Object.keys(DEAD_LETTERS) as readonly DeadLetterName[];

/** Queues whose messages functions handle (pollers, on one machine). */
export type HandledQueue = Exclude<QueueName, JobQueue>;

/** Queues whose messages workers take. */
export type JobQueue = 'liveJobs' | 'backfillJobs' | 'analysisJobs';

export const isJobQueue = (name: QueueName): name is JobQueue =>
  specOf(name).consumer === 'workers';

export const isHandled = (name: QueueName): name is HandledQueue => !isJobQueue(name);

/** Deliveries without success after which a message is a dead letter. */
export const MAX_DELIVERIES = 5;

/** The longest delay and the largest message that SQS takes, so that what works here works there. */
export const MAX_DELAY_MS = 15 * 60 * 1000;
export const MAX_BODY_BYTES = 256 * 1024;

/** A row of the table, without the literal types of its values. */
export function specOf(name: QueueName): QueueSpec {
  return QUEUES[name];
}

/** One value for each queue. */
export const forEachQueue = <Value>(
  make: (name: QueueName, spec: QueueSpec) => Value,
): Readonly<Record<QueueName, Value>> =>
  Object.fromEntries(QUEUE_NAMES.map((name) => [name, make(name, specOf(name))])) as Record<
    QueueName,
    Value
  >;

/** One value for each queue of dead letters. */
export const forEachDeadLetterQueue = <Value>(
  make: (name: DeadLetterName, spec: QueueSpec) => Value,
): Readonly<Record<DeadLetterName, Value>> =>
  Object.fromEntries(
    DEAD_LETTER_NAMES.map((name) => [name, make(name, specOf(DEAD_LETTERS[name][0] as QueueName))]),
  ) as Record<DeadLetterName, Value>;

/** `live-jobs` for `liveJobs`: as functions, resources and files are named. */
export const slugOf = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

type Snake<Name> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? Uppercase<First> : `_${First}`}${Snake<Rest>}`
  : '';

/** Where a process on AWS finds a queue's URL in its environment: `RIVULET_LIVE_JOBS_QUEUE`. */
export type QueueVariable = `RIVULET_${Snake<QueueName>}_QUEUE`;

export const queueVariable = (name: QueueName): QueueVariable =>
  `RIVULET_${slugOf(name).toUpperCase().replaceAll('-', '_') as Snake<QueueName>}_QUEUE`;
