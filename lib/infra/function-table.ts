/** Every function: what calls it, what it may do, and how much of a machine it gets. */

import type { RouteName } from '../api/routes.ts';
import type { QueueName } from '../pipeline/ports.ts';
import type { Right } from './function-rights.ts';

export type FunctionSpec = Readonly<{
  routes?: readonly RouteName[];
  /** `dead`: the dead letters of that queue. */
  queue?: Readonly<{ name: QueueName; dead?: true; batchSize?: number }>;
  rights: readonly Right[];
  /** CPU comes with it: 1769 MB are one vCPU. */
  memoryMb: number;
  timeoutSeconds: number;
}>;

/** The HTTP API gives up after 30 s. */
const API = { memoryMb: 512, timeoutSeconds: 29 } as const;
/** They parse a whole segment, which comes as base64. */
const UPLOAD = { memoryMb: 1769, timeoutSeconds: 29 } as const;
/** They render playlists and keep what they have rendered. */
const VIEW = { memoryMb: 1024, timeoutSeconds: 29 } as const;
const STEP = { memoryMb: 512, timeoutSeconds: 30 } as const;

const TAKE_IN: readonly Right[] = [
  'read index',
  'write index',
  'read source',
  'write source',
  'send transcode',
  'send timers',
  'send looks',
];

export const FUNCTION_TABLE = {
  'put-stream': {
    routes: ['putStream'],
    rights: ['read owner key', 'read index', 'write index', 'send publish'],
    ...API,
  },
  'list-streams': {
    routes: ['listStreams'],
    rights: ['read owner key', 'read index'],
    ...API,
  },
  'get-stream': {
    routes: ['getStream'],
    rights: ['read owner key', 'read index'],
    ...API,
  },
  'delete-stream': {
    routes: ['deleteStream'],
    rights: [
      'read owner key',
      'read index',
      'delete from index',
      'list objects',
      'delete source',
      'delete media',
    ],
    ...API,
  },
  upload: {
    routes: ['upload'],
    rights: ['read owner key', ...TAKE_IN],
    ...UPLOAD,
  },
  push: {
    routes: ['pushPut', 'pushPost'],
    rights: ['read owner key', ...TAKE_IN, 'send publish'],
    ...UPLOAD,
  },
  'push-delete': {
    routes: ['pushDelete'],
    // With the owner's key any upload call makes the stream.
    rights: ['read owner key', 'read index', 'write index'],
    ...API,
  },
  'end-stream': {
    routes: ['endStream'],
    rights: ['read owner key', 'read index', 'write index', 'send publish'],
    ...API,
  },
  'view-metadata': { routes: ['viewMetadata'], rights: ['read index'], ...VIEW },
  'view-playlist': { routes: ['viewPlaylist'], rights: ['read index'], ...VIEW },
  'view-segment': {
    routes: ['viewSegment'],
    rights: ['read index', 'read source', 'read media', 'write media'],
    ...VIEW,
  },
  healthz: {
    routes: ['healthz'],
    rights: ['read index', 'probe objects', 'count transcode', 'see workers'],
    ...API,
  },
  publish: {
    queue: { name: 'publish', batchSize: 10 },
    rights: ['read index', 'write index', 'send timers'],
    ...STEP,
  },
  timers: {
    queue: { name: 'timers', batchSize: 1 },
    rights: [
      'read index',
      'write index',
      'send publish',
      'send transcode',
      'send timers',
      // For the jobs that it queues anew.
      'send looks',
    ],
    ...STEP,
  },
  ingest: {
    queue: { name: 'ingest', batchSize: 1 },
    rights: [...TAKE_IN, 'delete source'],
    // A granted segment has up to 512 MB and is read as a whole.
    memoryMb: 2048,
    timeoutSeconds: 120,
  },
  'transcode-dead': {
    queue: { name: 'transcode', dead: true },
    rights: ['write index', 'send publish'],
    ...STEP,
  },
  'publish-dead': {
    queue: { name: 'publish', dead: true },
    rights: ['send publish'],
    ...STEP,
  },
  'timers-dead': {
    queue: { name: 'timers', dead: true },
    rights: ['send timers'],
    ...STEP,
  },
  'ingest-dead': {
    queue: { name: 'ingest', dead: true },
    rights: ['send ingest'],
    ...STEP,
  },
} as const satisfies Readonly<Record<string, FunctionSpec>>;

export type FunctionName = keyof typeof FUNCTION_TABLE;

/** In the stack of the workers: where nobody starts any, nobody scales them. */
export const SCALE_FUNCTION = {
  queue: { name: 'looks', batchSize: 10 },
  rights: [
    'read index',
    'write index',
    'count transcode',
    'see workers',
    'scale workers',
    'send looks',
  ],
  memoryMb: 256,
  timeoutSeconds: 15,
} as const satisfies FunctionSpec;
