/**
 * Every function: what calls it, what it may do, how much of a machine it gets, and how it is bundled.
 * Its entry is the file of its name in `lambdas/functions`.
 */

import type { RouteName } from '../api/routes.ts';
import type { DeadLetterName, HandledQueue } from '../ports/queues.ts';
import type { Permission } from './permissions.ts';

export type FunctionSpec = Readonly<{
  routes?: readonly RouteName[];
  /** Takes the messages of this queue, or of this queue of dead letters. */
  queue?: HandledQueue;
  deadLetters?: DeadLetterName;
  permissions: readonly Permission[];
  /** CPU comes with it: 1769 MB are one vCPU. */
  memoryMb: number;
  timeoutSeconds: number;
  /** Loads large modules after its start, from chunks of their own: they are bundled apart. */
  lazyChunks?: true;
  /** A module of `lib/media/threads` that it runs in a thread; the file has the same name in its bundle. */
  thread?: 'inspection-thread' | 'remux-thread';
  /** The built pages lie in its bundle. */
  pages?: true;
  /** In the stack of the workers: a stage without workers of its own needs none. */
  withWorkers?: true;
}>;

/** The HTTP API gives up after 30 s. */
const API = { memoryMb: 512, timeoutSeconds: 29 } as const;
/** They parse a whole segment, base64-encoded in the event. */
const UPLOAD = { memoryMb: 1769, timeoutSeconds: 29 } as const;
/** They render playlists and keep what they have rendered. */
const VIEW = { memoryMb: 1024, timeoutSeconds: 29 } as const;
const STEP = { memoryMb: 512, timeoutSeconds: 30 } as const;

const OWNER = ['read owner key', 'read records'] as const;

const EDIT_MARKERS = [...OWNER, 'write records', 'send publish'] as const;

/** Playlists of long recordings are stored. */
const VIEW_PLAYLISTS: readonly Permission[] = [
  'read records',
  // Who has requested a playlist that is not stored yet.
  'write records',
  'read media',
  'write media',
  'send backfillJobs',
  'count backfillJobs',
  'send scaling',
];

const INGEST: readonly Permission[] = [
  'read records',
  'write records',
  'read source',
  'write source',
  // Of an upload that another one was faster than.
  'delete source',
  'send liveJobs',
  'send delayed',
  'send scaling',
  'count liveJobs',
  // Segments of whole files, which may be uploaded again.
  'send backfillJobs',
  'count backfillJobs',
];

export const FUNCTION_TABLE = {
  'put-stream': {
    routes: ['putStream'],
    permissions: [...OWNER, 'write records', 'send publish'],
    ...API,
  },
  'list-streams': { routes: ['listStreams'], permissions: OWNER, ...API },
  'get-stream': { routes: ['getStream'], permissions: OWNER, ...API },
  'delete-stream': {
    routes: ['deleteStream'],
    permissions: [
      ...OWNER,
      ...(['delete records', 'list objects', 'delete source', 'delete media'] as const),
      'upload parts',
    ],
    lazyChunks: true,
    ...API,
  },
  upload: {
    routes: ['upload'],
    // Captions are published without a job.
    permissions: ['read owner key', ...INGEST, 'send publish', 'upload parts'],
    lazyChunks: true,
    thread: 'inspection-thread',
    ...UPLOAD,
  },
  push: {
    routes: ['pushPut', 'pushPost'],
    permissions: ['read owner key', ...INGEST, 'send publish'],
    lazyChunks: true,
    thread: 'inspection-thread',
    ...UPLOAD,
  },
  'push-delete': {
    routes: ['pushDelete'],
    permissions: OWNER,
    ...API,
  },
  'end-stream': {
    routes: ['endStream'],
    permissions: [...OWNER, 'write records', 'send publish'],
    ...API,
  },
  'view-metadata': {
    routes: ['viewMetadata'],
    permissions: VIEW_PLAYLISTS,
    lazyChunks: true,
    ...VIEW,
  },
  'view-thumbnails': {
    routes: ['viewThumbnails'],
    permissions: VIEW_PLAYLISTS,
    lazyChunks: true,
    ...VIEW,
  },
  'view-picture': {
    routes: ['viewPicture'],
    permissions: VIEW_PLAYLISTS,
    lazyChunks: true,
    ...VIEW,
  },
  'view-playlist': {
    routes: ['viewPlaylist'],
    permissions: VIEW_PLAYLISTS,
    lazyChunks: true,
    ...VIEW,
  },
  'dash-segment': { routes: ['dashSegment'], permissions: ['read records'], ...API },
  'server-time': { routes: ['serverTime'], permissions: [], ...API },
  'view-captions': {
    routes: ['viewCaptionFile', 'viewCaptionSegment'],
    permissions: [
      'read records',
      // Large sets of cues are objects.
      'read source',
      // Who has requested a file that is not made yet.
      'write records',
      'delete records',
      'read media',
      'send backfillJobs',
      'count backfillJobs',
      'send scaling',
    ],
    lazyChunks: true,
    ...VIEW,
  },
  'remove-captions': {
    routes: ['removeCaptions'],
    permissions: [...OWNER, 'delete records', 'send publish'],
    ...API,
  },
  'view-segment': {
    routes: ['viewSegment'],
    permissions: [
      'read records',
      // Who has requested a file that a job makes.
      'write records',
      'read source',
      'read media',
      'write media',
      'send backfillJobs',
      'count backfillJobs',
      'send scaling',
    ],
    lazyChunks: true,
    thread: 'remux-thread',
    ...VIEW,
  },
  'view-clip': {
    routes: ['viewClip', 'viewClipPlaylist'],
    permissions: [
      'read records',
      // Large sets of captions.
      'read source',
      // Who has requested a file that is not made yet.
      'write records',
      'delete records',
      'read media',
      'send backfillJobs',
      'count backfillJobs',
      'send scaling',
    ],
    lazyChunks: true,
    ...VIEW,
  },
  'view-page': {
    routes: ['watchPage', 'embedPage'],
    permissions: ['read records'],
    pages: true,
    ...VIEW,
  },
  'list-markers': { routes: ['listMarkers'], permissions: ['read records'], ...VIEW },
  'put-markers': { routes: ['putMarkers'], permissions: EDIT_MARKERS, ...API },
  'change-marker': { routes: ['changeMarker'], permissions: EDIT_MARKERS, ...API },
  'remove-marker': { routes: ['removeMarker'], permissions: EDIT_MARKERS, ...API },
  'list-clips': { routes: ['listClips'], permissions: ['read records'], ...VIEW },
  'save-clip': { routes: ['saveClip'], permissions: [...OWNER, 'write records'], ...API },
  'remove-clip': { routes: ['removeClip'], permissions: [...OWNER, 'delete records'], ...API },
  healthz: {
    routes: ['healthz'],
    permissions: ['read records', 'probe objects', 'count liveJobs', 'see workers'],
    lazyChunks: true,
    ...API,
  },
  publish: {
    queue: 'publish',
    permissions: [
      'read records',
      'write records',
      // Of removals that are done.
      'delete records',
      // Frames of languages that are uploaded on their own.
      'read media',
      // Pieces of them, and silence where a segment has no audio.
      'write media',
      'send delayed',
      // Playlists of a long recording.
      'send backfillJobs',
      'count backfillJobs',
      'send scaling',
    ],
    lazyChunks: true,
    ...STEP,
  },
  delayed: {
    queue: 'delayed',
    permissions: [
      'read records',
      'write records',
      'send publish',
      'send liveJobs',
      'send backfillJobs',
      'send delayed',
      // The queue's depth distinguishes lost jobs from waiting ones.
      'count liveJobs',
      'count backfillJobs',
      // Retention, of all streams.
      'send analysisJobs',
      'send scaling',
    ],
    ...STEP,
  },
  'upload-completed': {
    queue: 'uploadCompleted',
    permissions: INGEST,
    // A presigned upload has up to 512 MB and is read as a whole.
    memoryMb: 2048,
    timeoutSeconds: 120,
    lazyChunks: true,
    thread: 'inspection-thread',
  },
  'jobs-dead': {
    deadLetters: 'jobs',
    permissions: ['read records', 'write records', 'delete records', 'send publish'],
    ...STEP,
  },
  'publish-dead': { deadLetters: 'publish', permissions: ['send publish'], ...STEP },
  'delayed-dead': { deadLetters: 'delayed', permissions: ['send delayed'], ...STEP },
  'upload-completed-dead': {
    deadLetters: 'uploadCompleted',
    permissions: ['send uploadCompleted'],
    ...STEP,
  },
  scaling: {
    queue: 'scaling',
    permissions: [
      'read records',
      'write records',
      'count liveJobs',
      'count backfillJobs',
      'count analysisJobs',
      'see workers',
      'scale workers',
      'send scaling',
    ],
    memoryMb: 256,
    timeoutSeconds: 15,
    withWorkers: true,
  },
} as const satisfies Readonly<Record<string, FunctionSpec>>;

export type FunctionName = keyof typeof FUNCTION_TABLE;

/** The table's rows, without the literal types of their values. */
export const FUNCTIONS = Object.entries(FUNCTION_TABLE) as readonly (readonly [
  FunctionName,
  FunctionSpec,
])[];
