/** The JSON of the API, as server and clients exchange it. */

import type { ErrorCode } from '../domain/errors.ts';
import type { JsonValue } from '../domain/markers/marker.ts';
import type { Notice } from '../domain/notice.ts';
import type { RetentionSettings } from '../domain/retention/retention.ts';
import type { UploadedFileState } from '../domain/uploaded-file.ts';

export type ErrorBody = Readonly<{ code: ErrorCode | 'internal'; message: string; hint: string }>;

/**
 * Answer to an upload. 201 when the segment was stored now, 200 when these very bytes were there
 * before: then with the same content but for `missing`, `next` and `serverTime`.
 */
export type Receipt = Readonly<{
  stored: true;
  videoId: string;
  session: string;
  segment: number;
  /** sha-256 of the bytes, hex. */
  digest: string;
  sizeBytes: number;
  durationMs: number;
  /**
   * Numbers of this session that the server does not have, between the oldest of the newest 256 that
   * it has and `next`; at most 100, lowest first.
   */
  missing: readonly number[];
  /** One above the highest number that the server has of this session. */
  next: number;
  /** The server's clock, ISO 8601. */
  serverTime: string;
  /** What was found in the segment; absent when there is nothing to say. */
  notices?: readonly Notice[];
}>;

/** Answer (200) to a pushed file that is well-formed and not used, as another variant of the stream is. */
export type IgnoredFile = Readonly<{ ignored: true; notices: readonly Notice[] }>;

/**
 * Answer (202) to an upload that announces `size` and `digest` and has no body, until the bytes are
 * committed: PUT them to `upload.url` with `upload.headers`, then ask again with the same
 * parameters: the receipt (200), an error, or this answer once more while the store still works.
 */
export type PresignedUpload = Readonly<{
  stored: false;
  upload: Readonly<{
    method: 'PUT';
    url: string;
    headers: Readonly<Record<string, string>>;
    /** ISO 8601. */
    expiresAt: string;
  }>;
  serverTime: string;
}>;

/** Answer (202) to a request for a file that is being made: ask again at the same address. */
export type FileProgress = Readonly<{
  ready: false;
  /** From 0 to 1. */
  progress: number;
  retryAfterSeconds: number;
}>;

/** A whole file that was uploaded, or is being uploaded. */
export type FileView = Readonly<{
  name: string;
  sizeBytes: number;
  /** `waiting`: all of it is here. `processing`: segments are cut and transcoded. */
  state: UploadedFileState;
  /** Bytes that are here, by whole parts. */
  storedBytes: number;
  /** Media time, as far as its header says it. */
  durationSeconds?: number;
  /** Media time that has been cut into segments. */
  cutSeconds: number;
  /** What was left out or put right. */
  notices?: readonly Notice[];
  failure?: ErrorBody;
}>;

/**
 * Answer to `POST /upload/{videoId}?kind=file&name=…&size=N`. 202 while parts are missing: PUT some to their
 * `url`, and ask again, until the answer has no `upload`. 201 when the file became complete, 200 afterwards.
 */
export type FileUpload = Readonly<{
  file: FileView;
  upload?: Readonly<{
    partBytes: number;
    parts: number;
    /** How many parts are missing; `missing` has the first of them. */
    missingParts: number;
    missing: readonly Readonly<{
      part: number;
      /** Bytes of the file from `offset` on. */
      offset: number;
      sizeBytes: number;
      method: 'PUT';
      url: string;
      headers: Readonly<Record<string, string>>;
    }>[];
    /** ISO 8601. */
    expiresAt: string;
  }>;
  serverTime: string;
}>;

export type StreamState = 'created' | 'live' | 'ended';

/** A stream as viewers and owners see it. Only owners get `settings`. */
export type StreamView = Readonly<{
  videoId: string;
  title: string;
  state: StreamState;
  /** ISO 8601; when the first segment came. */
  startedAt?: string;
  endedAt?: string;
  /** Media time from the start of the stream, in seconds. */
  durationSeconds: number;
  /**
   * Where the recording begins, if retention has removed what was before: ISO 8601, and seconds from the start of
   * the stream. Neither, if nothing is left.
   */
  recordedSince?: string;
  recordedFromSeconds?: number;
  /** How far back a live viewer can go, in seconds; absent: to the start. */
  dvrWindowSeconds?: number;
  targetDurationSeconds?: number;
  /**
   * The server's clock, ISO 8601. It and the next four are absent before the first upload, and once
   * viewers have been shown the end.
   */
  serverTime?: string;
  /** When the newest segment was uploaded. */
  newestUploadAt?: string;
  /** Segments that were uploaded and are not transcoded yet; at most 100 are counted. */
  waitingSegments?: number;
  /** When the first of them was uploaded. */
  waitingSince?: string;
  /**
   * Seconds that the newest listed segment took: from the end of its media until it was uploaded, until a
   * worker took it, transcoded it, and playlists listed it.
   */
  newestHops?: Readonly<{ upload: number; queue: number; transcode: number; list: number }>;
  /** Clients that asked for its live playlists in the last 15 s; absent where nothing counts them. */
  viewers?: number;
  /** What its segments take in the store, sources included; for owners. */
  storageBytes?: number;
  /** The newest whole file that was uploaded; absent: there was none. */
  file?: FileView;
  /** Path on this host of a JPEG, the newest; absent: there is none. */
  poster?: string;
  /** Tracks of captions; absent: there are none. */
  captions?: readonly Readonly<{
    name: string;
    language?: string;
    label: string;
    isForced?: true;
    isSdh?: true;
  }>[];
  /** Path on this host of the index of preview thumbnails (WebVTT); absent: there are none. */
  thumbnails?: string;
  /** Paths on this host. */
  hls: string;
  dash: string;
  renditions: readonly Readonly<{
    name: string;
    kind: 'video' | 'audio';
    codecs: string;
    widthPx?: number;
    heightPx?: number;
    framesPerSecond?: number;
    channels?: number;
    language?: string;
    /** Audio description. */
    describesVideo?: true;
    averageBps: number;
    peakBps: number;
  }>[];
}>;

/** A marker as the API shows it; times in ISO 8601. An instant has `at`, a span `start`, and `end` once it is over. */
export type MarkerView = Readonly<{
  id: string;
  class: string;
  at?: string;
  start?: string;
  end?: string;
  text?: string;
  data?: Readonly<Record<string, JsonValue>>;
}>;

/** Answer to `GET /markers/{videoId}`, by start. */
export type MarkerList = Readonly<{
  /** Of the newest change: `?since=` it answers with what is new. */
  version: number;
  markers: readonly MarkerView[];
  /** Ids of those that were removed; only of an answer to `since`. */
  removed?: readonly string[];
}>;

/** Answer to `POST /upload/{videoId}?kind=captions`: 201 if anything is new, 200 if all was there. */
export type CaptionsReceipt = Readonly<{
  stored: true;
  videoId: string;
  /** By which it is removed. */
  track: string;
  cues: number;
}>;

/** A clip that the owner of a stream keeps; times in ISO 8601. */
export type SavedClipView = Readonly<{
  id: string;
  title?: string;
  from: string;
  to: string;
  /** Path on this host of its playlist. */
  hls: string;
}>;

/** Answer to `GET /clips/{videoId}`, by start. */
export type SavedClipList = Readonly<{ clips: readonly SavedClipView[] }>;

/** What `PUT /streams/{videoId}` takes. Left out: the present value, or the default of a new stream. */
export type StreamSettings = Readonly<{
  title: string;
  /** Upper bound of a segment's duration; fixed once media was published. */
  targetDurationSeconds: number;
  /** null: unlimited. */
  dvrWindowSeconds: number | null;
  /** A stream without uploads for so long has ended; null: never by itself. */
  idleTimeoutSeconds: number | null;
  /** How long publishing waits for a missing segment after a later one is ready. */
  holeGraceSeconds: number;
  ladder: readonly Readonly<{ name: string; shortSidePx: number; maxrateBps: number }>[];
  /** Several encoders send the same numbers: the first copy of a segment wins, the others get its receipt. */
  redundant: boolean;
  /** Captions shown by default, by country (`FR`) or `*`: a language, or `off`. */
  defaultCaptions?: Readonly<Record<string, string>>;
  /** When segments are made as WebM: when asked for, with the renditions, or not at all. */
  webm?: 'onDemand' | 'always' | 'never';
  /** Shown in the list to everybody, not to the owner alone. */
  listed: boolean;
  /** Language (BCP 47) of the default audio by country (ISO 3166-1, or `*`). Absent: the stream's first. */
  defaultAudio?: Readonly<Record<string, string>>;
  /** How long recordings are kept; null: for ever. */
  retention: RetentionSettings | null;
}>;

/** Answer to `GET /streams/{videoId}`. */
export type StreamShown = StreamView & Readonly<{ settings: StreamSettings }>;

/** Answer to `PUT /streams/{videoId}`; the upload key is shown once, when it is made. */
export type StreamCreated = StreamShown & Readonly<{ uploadKey?: string }>;
