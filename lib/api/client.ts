/** The API as functions, for the encoder and the pages alike: `fetch` and types, nothing else. */

import type { ErrorCode } from '../domain/errors.ts';
import { MEDIA_FORMATS, mediaTypeOf } from '../domain/media-format.ts';
import type { CuesInput } from './captions.ts';
import type { SavedClipInput } from './clips.ts';
import type {
  CaptionsReceipt,
  ErrorBody,
  FileUpload,
  PresignedUpload,
  Receipt,
  SavedClipList,
  SavedClipView,
  StreamCreated,
  StreamSettings,
  StreamShown,
  StreamView,
} from './messages.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What the server, or the way to it, answered instead of what was asked for. */
export type ApiErrorCode = ErrorCode | 'internal' | 'network' | 'timeout' | 'unexpected_answer';

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly hint: string;
  /** 0 when no answer came. */
  readonly status: number;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ApiErrorCode,
    message: string,
    hint: string,
    status: number,
    retryAfterMs?: number,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = 'ApiError';
    this.code = code;
    this.hint = hint;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    const { status } = this;
    // A success that is no answer of the API comes from a portal or proxy that stands in between.
    if (status < 300) return true;
    return status === 408 || status === 429 || status >= 500;
  }
}

export type ApiClientOptions = Readonly<{
  /** `https://host`, with a path before the API's own if there is one. */
  baseUrl: string;
  /** Owner key, or a stream's upload key. */
  key?: string | undefined;
  /** For a call without a body; one with a body gets the time that a slow line needs on top. */
  timeoutMs?: number;
  fetch?: typeof fetch;
}>;

export type CallOptions = Readonly<{ signal?: AbortSignal | undefined }>;

/** Which segment: its number, and what the encoder knows of it. */
export type SegmentInfo = Readonly<{
  segment: number;
  session?: string | undefined;
  durationSeconds?: number | undefined;
  /** Wall clock of its beginning, in milliseconds since 1970. */
  atMs?: number | undefined;
  /** sha-256, hex. */
  digest?: string | undefined;
  /** The file name, from an encoder that pushes files. */
  name?: string | undefined;
}> &
  Partial<SoundAlone>;

/** Sound without a picture: a language of the stream, which is uploaded on its own. */
export type SoundAlone = Readonly<{
  kind: 'audio';
  /** BCP 47. */
  lang: string;
  /** Audio description. */
  description?: true;
}>;

/** Of which track captions are, and of what their times are counted. */
export type CaptionsInfo = Readonly<{
  /** BCP 47. */
  lang: string;
  forced?: boolean;
  sdh?: boolean;
  /** For people; left out: the language's own name. */
  name?: string;
  /** A file of the same name, or a piece of the same number, takes the place of the one before. */
  file?: string;
  segment?: number;
  session?: string;
  /** Wall clock of the file's zero, in milliseconds since 1970; left out: the start of the stream. */
  atMs?: number;
}>;

export type FilePart = NonNullable<FileUpload['upload']>['missing'][number];

/** What is left out stays. `newUploadKey`: the key before no longer counts. */
export type StreamChange = Partial<StreamSettings> & Readonly<{ newUploadKey?: boolean }>;

/** Every call throws an `ApiError`, or the reason of its signal. */
export type ApiClient = Readonly<{
  uploadSegment(
    videoId: string,
    segment: SegmentInfo,
    bytes: Bytes,
    options?: CallOptions,
  ): Promise<Receipt>;
  /** The receipt when the bytes are committed; until then where to upload them. */
  requestPresignedUpload(
    videoId: string,
    segment: SegmentInfo & Readonly<{ digest: string; sizeBytes: number }>,
    options?: CallOptions,
  ): Promise<Receipt | PresignedUpload>;
  /** Uploads the bytes as the server allowed. Succeeds as well if the object exists already. */
  putPresigned(presigned: PresignedUpload, bytes: Bytes, options?: CallOptions): Promise<void>;
  /** What the server has of a whole file, and where to send parts that are missing. */
  requestFileUpload(
    videoId: string,
    file: Readonly<{ name: string; sizeBytes: number }>,
    options?: CallOptions,
  ): Promise<FileUpload>;
  /** One part of a file, as the server allowed. */
  putPart(part: FilePart, bytes: Bytes, options?: CallOptions): Promise<void>;
  /** A segment, init segment or playlist under its file name; only a segment has a receipt. */
  pushFile(
    videoId: string,
    name: string,
    bytes: Bytes,
    options?: CallOptions,
  ): Promise<Receipt | undefined>;
  /** `sound`: that of this language alone. */
  endStream(videoId: string, options?: CallOptions, sound?: SoundAlone): Promise<void>;
  putStream(videoId: string, settings: StreamChange, options?: CallOptions): Promise<StreamCreated>;
  listStreams(options?: CallOptions): Promise<readonly StreamView[]>;
  getStream(videoId: string, options?: CallOptions): Promise<StreamShown>;
  /** What everybody may know of a stream; needs no key. */
  getState(videoId: string, options?: CallOptions): Promise<StreamView>;
  deleteStream(videoId: string, options?: CallOptions): Promise<void>;
  /** A file of WebVTT or SubRip, or cues as JSON; what is known already is taken again. */
  uploadCaptions(
    videoId: string,
    captions: CaptionsInfo,
    content: string | Bytes | CuesInput,
    options?: CallOptions,
  ): Promise<CaptionsReceipt>;
  /** `track` as the receipt names it. */
  removeCaptions(videoId: string, track: string, options?: CallOptions): Promise<void>;
  /** Those that the owner keeps, by start; needs no key. */
  listClips(videoId: string, options?: CallOptions): Promise<readonly SavedClipView[]>;
  /** The same span again takes the new title. */
  saveClip(videoId: string, clip: SavedClipInput, options?: CallOptions): Promise<SavedClipView>;
  removeClip(videoId: string, clipId: string, options?: CallOptions): Promise<void>;
}>;

const DEFAULT_TIMEOUT_MS = 30_000;
/** 256 kbit/s: a line slower than this carries no video. */
const SLOWEST_BYTES_PER_MS = 32;

type Call = Readonly<{
  method: string;
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: Bytes | string;
  /** Grants carry their own permission. */
  withKey?: false;
  signal?: AbortSignal | undefined;
}>;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const base = options.baseUrl.replace(/\/+$/, '');
  const send = options.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
  const at = (path: string): string => base + path;
  const id = encodeURIComponent;

  async function call(request: Call): Promise<Answer> {
    const { method, url, body, signal } = request;
    const length = body === undefined ? 0 : body.length;
    const timeoutMs = (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) + length / SLOWEST_BYTES_PER_MS;
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
    const withKey = options.key !== undefined && request.withKey !== false;
    const key = withKey && { authorization: `Bearer ${options.key}` };
    try {
      const response = await send(url, {
        method,
        headers: { ...key, ...request.headers },
        ...(body !== undefined && { body }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      return {
        status: response.status,
        retryAfterMs: secondsToMs(response.headers.get('retry-after')),
        text: await response.text(),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const code = timeout.aborted ? 'timeout' : 'network';
      const waited = `no answer within ${Math.round(timeoutMs / 1000)} s`;
      const why = timeout.aborted ? waited : reasonOf(error);
      const message = `${method} ${withoutQuery(url)}: ${why}`;
      throw new ApiError(code, message, RETRY_HINT, 0, undefined, error);
    }
  }

  const json = async <T>(request: Call): Promise<T> => parse<T>(request, await call(request));

  return {
    uploadSegment: (videoId, segment, body, { signal } = {}) =>
      json({
        method: 'POST',
        url: at(`/upload/${id(videoId)}?${segmentQuery(segment)}`),
        headers: { 'content-type': 'application/octet-stream' },
        body,
        signal,
      }),
    requestPresignedUpload: (videoId, { sizeBytes, ...segment }, { signal } = {}) => {
      const query = segmentQuery(segment);
      query.set('size', String(sizeBytes));
      return json({ method: 'POST', url: at(`/upload/${id(videoId)}?${query}`), signal });
    },
    async putPresigned({ upload }, body, { signal } = {}) {
      const { method, url, headers } = upload;
      const request: Call = { method, url, headers, body, withKey: false, signal };
      const answer = await call(request);
      // If-None-Match: an attempt whose answer was lost has stored the object.
      if (answer.status !== 412) requireSuccess(request, answer);
    },
    requestFileUpload: (videoId, { name, sizeBytes }, { signal } = {}) => {
      const query = new URLSearchParams({ kind: 'file', name, size: String(sizeBytes) });
      return json({ method: 'POST', url: at(`/upload/${id(videoId)}?${query}`), signal });
    },
    async putPart({ method, url, headers }, body, { signal } = {}) {
      const request: Call = { method, url, headers, body, withKey: false, signal };
      requireSuccess(request, await call(request));
    },
    async pushFile(videoId, name, body, { signal } = {}) {
      const url = at(`/upload/${id(videoId)}/${name.split('/').map(id).join('/')}`);
      const headers = { 'content-type': mediaTypeOf(name) ?? MEDIA_FORMATS.mp4.contentType };
      const request: Call = { method: 'PUT', url, headers, body, signal };
      const answer = await call(request);
      requireSuccess(request, answer);
      if (answer.text === '') return undefined;
      const receipt = parse<Partial<Receipt>>(request, answer);
      return receipt.stored === true ? (receipt as Receipt) : undefined;
    },
    async endStream(videoId, { signal } = {}, sound) {
      const query = sound ? `?${queryOf(sound)}` : '';
      const url = at(`/upload/${id(videoId)}/end${query}`);
      const request: Call = { method: 'POST', url, signal };
      requireSuccess(request, await call(request));
    },
    putStream: (videoId, settings, { signal } = {}) =>
      json({
        method: 'PUT',
        url: at(`/streams/${id(videoId)}`),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
        signal,
      }),
    async listStreams({ signal } = {}) {
      const request: Call = { method: 'GET', url: at('/streams'), signal };
      return (await json<Readonly<{ streams: readonly StreamView[] }>>(request)).streams;
    },
    getStream: (videoId, { signal } = {}) =>
      json({ method: 'GET', url: at(`/streams/${id(videoId)}`), signal }),
    getState: (videoId, { signal } = {}) => {
      const url = at(`/viewstream/metadata/${id(videoId)}?format=json`);
      return json({ method: 'GET', url, signal });
    },
    async deleteStream(videoId, { signal } = {}) {
      const request: Call = { method: 'DELETE', url: at(`/streams/${id(videoId)}`), signal };
      requireSuccess(request, await call(request));
    },
    uploadCaptions(videoId, { atMs, ...captions }, content, { signal } = {}) {
      const query = queryOf({ kind: 'captions', ...captions });
      if (atMs !== undefined) query.set('at', new Date(atMs).toISOString());
      const isFile = typeof content === 'string' || content instanceof Uint8Array;
      return json({
        method: 'POST',
        url: at(`/upload/${id(videoId)}?${query}`),
        headers: { 'content-type': isFile ? 'text/vtt' : 'application/json' },
        body: isFile ? content : JSON.stringify(content),
        signal,
      });
    },
    async removeCaptions(videoId, track, { signal } = {}) {
      const url = at(`/captions/${id(videoId)}/${id(track)}`);
      const request: Call = { method: 'DELETE', url, signal };
      requireSuccess(request, await call(request));
    },
    async listClips(videoId, { signal } = {}) {
      const request: Call = { method: 'GET', url: at(`/clips/${id(videoId)}`), signal };
      return (await json<SavedClipList>(request)).clips;
    },
    saveClip: (videoId, clip, { signal } = {}) =>
      json({
        method: 'POST',
        url: at(`/clips/${id(videoId)}`),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(clip),
        signal,
      }),
    async removeClip(videoId, clipId, { signal } = {}) {
      const url = at(`/clips/${id(videoId)}/${id(clipId)}`);
      const request: Call = { method: 'DELETE', url, signal };
      requireSuccess(request, await call(request));
    },
  };
}

const RETRY_HINT = 'Check the address and the network; the call can be repeated.';
const ADDRESS_HINT = 'Check that the address is that of a Rivulet server.';

type Answer = Readonly<{ status: number; retryAfterMs: number | undefined; text: string }>;

function segmentQuery(segment: SegmentInfo): URLSearchParams {
  const { durationSeconds, atMs, ...rest } = segment;
  const query = queryOf(rest);
  if (durationSeconds !== undefined)
    query.set('duration', String(Number(durationSeconds.toFixed(6))));
  if (atMs !== undefined) query.set('at', new Date(atMs).toISOString());
  return query;
}

function queryOf(values: Readonly<Record<string, unknown>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query;
}

function requireSuccess(request: Call, { status, retryAfterMs, text }: Answer): void {
  if (status >= 200 && status < 300) return;
  const where = `${request.method} ${withoutQuery(request.url)}`;
  const { code, message, hint } = parseErrorBody(text) ?? {
    code: status >= 500 ? 'internal' : 'unexpected_answer',
    message: `${where}: HTTP ${status}${text ? ` (${text.trim().slice(0, 200)})` : ''}`,
    hint: status >= 500 ? RETRY_HINT : ADDRESS_HINT,
  };
  throw new ApiError(code, message, hint, status, retryAfterMs);
}

function parse<T>(request: Call, answer: Answer): T {
  requireSuccess(request, answer);
  try {
    const value: unknown = JSON.parse(answer.text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // A page of a proxy or of another server: reported below.
  }
  const message = `${request.method} ${withoutQuery(request.url)}: the answer is not JSON`;
  throw new ApiError('unexpected_answer', message, ADDRESS_HINT, answer.status);
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const { code, message, hint } = JSON.parse(text) as Partial<ErrorBody>;
    return code && message ? { code, message, hint: hint ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

/** `fetch` says "fetch failed" and hides why in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as {
    message?: string;
    cause?: { code?: string; message?: string };
  };
  return cause?.code ?? (cause?.message || message || 'failed');
}

const withoutQuery = (url: string): string => url.replace(/\?.*$/s, '');

const secondsToMs = (text: string | null): number | undefined =>
  text !== null && /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
