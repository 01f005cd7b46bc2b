/** The ports: what the pipeline needs of an engine. Each engine implements them; one contract suite holds for all. */

import type { QueueName } from './queues.ts';

export type Clock = Readonly<{ now(): number }>;

export type ByteRange = Readonly<{ start: number; endInclusive: number }>;

export type ObjectInfo = Readonly<{ sizeBytes: number; contentType: string }>;

/** Permission to store one object of exactly this size under a key, without any other credential. */
export type PresignedPut = Readonly<{
  method: 'PUT';
  url: string;
  /** To be sent as they are. */
  headers: Readonly<Record<string, string>>;
  expiresAtMs: number;
}>;

/** Of the keys between two, which do not belong to it, the first so many. */
export type KeyRange = Readonly<{ after: string; before: string; limit: number }>;
/**
 * An object that is uploaded in parts, in any order and any number of times: all have `partBytes`, but for
 * the last. Engines know it by `id`.
 */
export type MultipartUpload = Readonly<{
  key: string;
  id: string;
  sizeBytes: number;
  partBytes: number;
}>;

export type MultipartUploads = Readonly<{
  /** The id. What is not completed is dropped after a week without a new part. */
  begin(terms: Omit<MultipartUpload, 'id'> & Readonly<{ contentType: string }>): Promise<string>;
  /** Permission to store one part; they count from 1. A part that is there is stored anew. */
  presignPart(upload: MultipartUpload, part: number, expiresAtMs: number): Promise<PresignedPut>;
  /** Numbers of the parts that are there, in order; undefined: there is no such upload, any more. */
  list(upload: MultipartUpload): Promise<number[] | undefined>;
  /**
   * Makes the object of all parts. Also true if that was done before; false if a part is missing, or if
   * there is neither such an upload nor the object.
   */
  complete(upload: MultipartUpload): Promise<boolean>;
  /** Drops the parts; an upload that is not there is no error. */
  abort(upload: MultipartUpload): Promise<void>;
}>;

/** Immutable objects. Keys are `/`-separated, of `A-Z a-z 0-9 . _ -`. */
export type MediaStore = Readonly<{
  /** Creates the object, durably and whole or not at all. An object that is there stays as it is. */
  put(key: string, bytes: Uint8Array, contentType: string): Promise<'stored' | 'exists'>;
  /** The same, of files on this machine, whose bytes follow one another; never whole in memory. */
  putFile(key: string, paths: readonly string[], contentType: string): Promise<'stored' | 'exists'>;
  get(key: string, range?: ByteRange): Promise<Uint8Array | undefined>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Keys under a prefix that ends in `/`, in order. */
  list(prefix: string, range?: KeyRange): Promise<string[]>;
  /** Absent keys are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /**
   * The engine reports an object that was stored this way on the queue `uploadCompleted` as `{ key }`,
   * once or more.
   * `digest` (sha-256, hex), if given, is checked by the store.
   */
  presignPut(
    key: string,
    terms: Readonly<{
      sizeBytes: number;
      contentType: string;
      digest?: string;
      expiresAtMs: number;
    }>,
  ): Promise<PresignedPut>;
  multipart: MultipartUploads;
}>;

/** Of a multipart upload (S3): all but the last part have so many bytes at least. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
export const MAX_PARTS = 10_000;

/** A stored value. The version is 1 when created and grows by one with each write. */
export type Item = Readonly<{ sort: string; version: number; value: unknown }>;

/** `expect`: the version that must be there (0: none); without it the write is unconditional. */
export type Write = Readonly<
  | {
      type: 'put';
      partition: string;
      sort: string;
      value: unknown;
      expect?: number;
      expiresAtMs?: number;
    }
  | { type: 'delete'; partition: string; sort: string; expect?: number }
>;

/** Inclusive bounds on the sort key, compared as UTF-8 bytes. Without `limit`: all of them. */
export type SortRange = Readonly<{
  from?: string;
  to?: string;
  limit?: number;
  descending?: boolean;
}>;

/** A table of items by partition and sort key. Reads see every write that was acknowledged. */
export type RecordStore = Readonly<{
  get(partition: string, sort: string): Promise<Item | undefined>;
  query(partition: string, range?: SortRange): Promise<Item[]>;
  /** All writes (at most 100) or none; false if an expectation did not hold. Expired items may linger. */
  write(writes: readonly Write[]): Promise<boolean>;
}>;

export type QueueMessage = Readonly<{
  body: string;
  /** Not on queues with ordered groups. At most 15 minutes. */
  delayMs?: number;
  /** On queues with groups, and there always; what it does is the queue's (`queues.ts`). */
  group?: string;
}>;

export type Delivery = Readonly<{
  id: string;
  body: string;
  /** Names this one delivery; useless once its lease has run out. */
  receipt: string;
  /** 1 for the first delivery. */
  deliveries: number;
  group?: string;
}>;

/** Messages waiting, delivered and not acknowledged, and held back by a delay. */
export type QueueDepth = Readonly<{ ready: number; inFlight: number; delayed: number }>;

export type ReceiveOptions = Readonly<{
  max: number;
  waitMs: number;
  leaseMs: number;
  signal?: AbortSignal;
  /**
   * On queues with fair groups: messages of these groups stay where they are. SQS cannot choose among
   * groups: there such a call only waits.
   */
  exceptGroups?: readonly string[];
}>;

/** At-least-once delivery. A message delivered too often without being acknowledged goes to the dead letters. */
export type WorkQueue = Readonly<{
  send(messages: readonly QueueMessage[]): Promise<void>;
  /** Waits up to `waitMs` for the first message; [] if none came. `signal` ends the wait early. */
  receive(options: ReceiveOptions): Promise<Delivery[]>;
  /** false if the lease had already run out: the message may be with another receiver by now. */
  extend(receipt: string, leaseMs: number): Promise<boolean>;
  acknowledge(receipts: readonly string[]): Promise<void>;
  /** Gives a message back, to be delivered again after `delayMs`. */
  release(receipt: string, delayMs: number): Promise<void>;
  /** Approximate on SQS, and up to a minute behind. */
  depth(): Promise<QueueDepth>;
}>;

export type WorkQueues = Readonly<Record<QueueName, WorkQueue>>;

/** Workers that somebody starts by hand: there has to be one at any time. */
export type StaticFleet = Readonly<{
  type: 'static';
  /** Workers that were asked for, and those that are there to take jobs. */
  count(): Promise<Readonly<{ desired: number; running: number }>>;
}>;

/** Workers that the scaling step starts and stops. */
export type ScalableFleet = Omit<StaticFleet, 'type'> &
  Readonly<{
    type: 'scalable';
    /** Starts missing workers. Surplus ones take no more jobs, finish those they have, and exit. */
    scaleTo(count: number): Promise<void>;
  }>;

export type WorkerFleet = StaticFleet | ScalableFleet;

export type Ports = Readonly<{
  media: MediaStore;
  store: RecordStore;
  queues: WorkQueues;
  fleet: WorkerFleet;
  clock: Clock;
  /** What keeps the engine's disk from taking data; undefined: nothing. Absent where no disk is ours. */
  storageFault?(): Promise<string | undefined>;
}>;
