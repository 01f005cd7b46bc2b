/** Every function: what calls it, what it may do, and how much of a machine it gets. */

import type { RouteName } from '../api/routes.ts';
import type { QueueName } from '../pipeline/ports.ts';
import type { Permission } from './function-permissions.ts';

export type FunctionSpec = Readonly<{
  routes?: readonly RouteName[];
  /** `dead`: the dead letters of that queue. */
  queue?: Readonly<{ name: QueueName; dead?: true; batchSize?: number }>;
  permissions: readonly Permission[];
  /** CPU comes with it: 1769 MB are one vCPU. */
  memoryMb: number;
  timeoutSeconds: number;
  /** Loads large modules after its start, from chunks of their own: they are bundled apart. */
  lazyChunks?: true;
}>;

/** The HTTP API gives up after 30 s. */
const API = { memoryMb: 512, timeoutSeconds: 29 } as const;
/** They parse a whole segment, which comes as base64. */
const UPLOAD = { memoryMb: 1769, timeoutSeconds: 29 } as const;
/** They render playlists and keep what they have rendered. */
const VIEW = { memoryMb: 1024, timeoutSeconds: 29 } as const;
const STEP = { memoryMb: 512, timeoutSeconds: 30 } as const;

const TAKE_IN: readonly Permission[] = [
  'read records',
  'write records',
  'read source',
  'write source',
  'send transcode',
  'send timers',
  'send looks',
];

export const FUNCTION_TABLE = {
  'put-stream': {
    routes: ['putStream'],
    permissions: ['read owner key', 'read records', 'write records', 'send publish'],
    ...API,
  },
  'list-streams': {
    routes: ['listStreams'],
    permissions: ['read owner key', 'read records'],
    ...API,
  },
  'get-stream': {
    routes: ['getStream'],
    permissions: ['read owner key', 'read records'],
    ...API,
  },
  'delete-stream': {
    routes: ['deleteStream'],
    permissions: [
      'read owner key',
      'read records',
      'delete records',
      'list objects',
      'delete source',
      'delete media',
    ],
    lazyChunks: true,
    ...API,
  },
  upload: {
    routes: ['upload'],
    permissions: ['read owner key', ...TAKE_IN],
    lazyChunks: true,
    ...UPLOAD,
  },
  push: {
    routes: ['pushPut', 'pushPost'],
    permissions: ['read owner key', ...TAKE_IN, 'send publish'],
    lazyChunks: true,
    ...UPLOAD,
  },
  'push-delete': {
    routes: ['pushDelete'],
    // With the owner's key any upload call makes the stream.
    permissions: ['read owner key', 'read records', 'write records'],
    ...API,
  },
  'end-stream': {
    routes: ['endStream'],
    permissions: ['read owner key', 'read records', 'write records', 'send publish'],
    ...API,
  },
  'view-metadata': { routes: ['viewMetadata'], permissions: ['read records'], ...VIEW },
  'view-playlist': { routes: ['viewPlaylist'], permissions: ['read records'], ...VIEW },
  'view-segment': {
    routes: ['viewSegment'],
    permissions: ['read records', 'read source', 'read media', 'write media'],
    lazyChunks: true,
    ...VIEW,
  },
  healthz: {
    routes: ['healthz'],
    permissions: ['read records', 'probe objects', 'count transcode', 'see workers'],
    lazyChunks: true,
    ...API,
  },
  publish: {
    queue: { name: 'publish', batchSize: 10 },
    permissions: ['read records', 'write records', 'send timers'],
    ...STEP,
  },
  delayed: {
    queue: { name: 'timers', batchSize: 1 },
    permissions: [
      'read records',
      'write records',
      'send publish',
      'send transcode',
      'send timers',
      // For the jobs that it queues anew.
      'send looks',
    ],
    ...STEP,
  },
  'upload-completed': {
    queue: { name: 'ingest', batchSize: 1 },
    permissions: [...TAKE_IN, 'delete source'],
    // A granted segment has up to 512 MB and is read as a whole.
    memoryMb: 2048,
    timeoutSeconds: 120,
    lazyChunks: true,
  },
  'jobs-dead': {
    queue: { name: 'transcode', dead: true },
    permissions: ['write records', 'send publish'],
    ...STEP,
  },
  'publish-dead': {
    queue: { name: 'publish', dead: true },
    permissions: ['send publish'],
    ...STEP,
  },
  'delayed-dead': {
    queue: { name: 'timers', dead: true },
    permissions: ['send timers'],
    ...STEP,
  },
  'upload-completed-dead': {
    queue: { name: 'ingest', dead: true },
    permissions: ['send ingest'],
    ...STEP,
  },
} as const satisfies Readonly<Record<string, FunctionSpec>>;

export type FunctionName = keyof typeof FUNCTION_TABLE;

/** In the stack of the workers: where nobody starts any, nobody scales them. */
export const SCALE_FUNCTION = {
  queue: { name: 'looks', batchSize: 10 },
  permissions: [
    'read records',
    'write records',
    'count transcode',
    'see workers',
    'scale workers',
    'send looks',
  ],
  memoryMb: 256,
  timeoutSeconds: 15,
} as const satisfies FunctionSpec;
