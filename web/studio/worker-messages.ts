/** What the studio's page and its worker say to each other. */

import type { VideoSettings } from './codec-choice.ts';
import type { LineState } from './uploader.ts';

/** `both`: the screen with the camera in a corner. `none`: black. */
export type Layout = 'camera' | 'screen' | 'both' | 'none';

export type PictureSource = 'camera' | 'screen';

export type ToWorker =
  /** First of all: sends what earlier pages left. Once more: with another key. */
  | Readonly<{ type: 'open'; videoId: string; key: string; baseUrl: string }>
  /** Goes live; `sound`: whether the broadcast has any. */
  | Readonly<{ type: 'start'; video: VideoSettings; sound: boolean }>
  | Readonly<{
      type: 'picture';
      source: PictureSource;
      frames: ReadableStream<VideoFrame> | undefined;
    }>
  | Readonly<{ type: 'sound'; blocks: ReadableStream<AudioData> }>
  | Readonly<{ type: 'layout'; layout: Layout }>
  /** Of a MediaRecorder: bytes in order. `startedAtMs`: with the first bytes of a recorder, its wall clock. */
  | Readonly<{ type: 'recorded'; bytes: Uint8Array<ArrayBuffer>; startedAtMs?: number }>
  /** Sends the rest, then ends the stream. */
  | Readonly<{ type: 'stop' }>
  /** The network is back, or somebody has mended what was refused. */
  | Readonly<{ type: 'retry' }>;

export type WorkerStatus = Readonly<{
  type: 'status';
  line: LineState;
  /** What the server said; empty where nothing came. */
  problem?: Readonly<{ code: string; message: string }> | undefined;
  backlogSegments: number;
  backlogSeconds: number;
  sentBytes: number;
  lostSegments: number;
  /** What the pictures are encoded with, in bit/s; 0 before the start. */
  bitsPerSecond: number;
  encodedFrames: number;
  droppedFrames: number;
}>;

export type FromWorker =
  | WorkerStatus
  /** The first picture is encoded. Codecs by RFC 6381; since 1970. */
  | Readonly<{ type: 'live'; startedAtMs: number; codecs: string }>
  /** All is sent, and the stream has ended. */
  | Readonly<{ type: 'ended' }>
  /** `busy`: another tab sends this stream. `unsupported`: no encoder for the picture. `failed`: the encoder gave up; what it made is sent. */
  | Readonly<{ type: 'failed'; reason: 'unsupported' | 'failed' | 'busy'; message: string }>;
