/** The studio's worker: it makes segments, keeps them, and sends them. */

import { ApiError, createApiClient } from '../../lib/api/client.ts';
import { BitrateControl } from './bitrate-control.ts';
import { chooseVideo } from './codec-choice.ts';
import { openFileStore } from './file-store.ts';
import { LiveSession, TICK_MS } from './live-session.ts';
import { RecorderSession } from './recorder-session.ts';
import type { SpooledSegment } from './segment-store.ts';
import { Uploader } from './uploader.ts';
import type { FromWorker, Layout, PictureSource, ToWorker } from './worker-messages.ts';

/** What workers have, and the types of windows do not. */
type WorkerScope = Readonly<{
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}>;
const page = self as unknown as WorkerScope;

const STATUS_MS = 250;
const END_RETRY_MS = 3000;
const LOCK_PATIENCE_MS = 5000;

type Frames = ReadableStreamDefaultReader<VideoFrame>;

let uploader: Uploader | undefined;
/** Until then the files of earlier pages are listed. */
let opening: Promise<void> = Promise.resolve();
let access: Extract<ToWorker, { type: 'open' }> | undefined;
let live: LiveSession | undefined;
let recorder: RecorderSession | undefined;
let bitrate: BitrateControl | undefined;
let bitsPerSecond = 0;
let layout: Layout = 'none';
let hasStopped = false;
const readers = new Map<PictureSource, Frames>();
let soundReader: ReadableStreamDefaultReader<AudioData> | undefined;
let wake: () => void = () => undefined;

const client = () => createApiClient({ baseUrl: access?.baseUrl ?? '', key: access?.key });

/** Ends early when somebody knows that it is worth another attempt. */
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    wake = resolve;
    setTimeout(resolve, ms);
  });

async function open(message: Extract<ToWorker, { type: 'open' }>): Promise<void> {
  const isFirst = access === undefined;
  access = message;
  if (!isFirst) return uploader?.resume();
  await holdStream(message.videoId);
  uploader = new Uploader({
    store: await openFileStore(message.videoId),
    upload: ({ number, durationSeconds }, session, atMs, bytes) =>
      client().uploadSegment(
        message.videoId,
        { segment: number, session, durationSeconds, atMs },
        bytes,
      ),
    pause,
    now: () => Date.now(),
    onChange: sendStatus,
  });
  await uploader.recover();
  sendStatus();
}

/** One tab at a time sends a stream: two would disturb each other's files. Throws `Busy` if another does. */
function holdStream(videoId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!('locks' in navigator)) return resolve();
    // The page before a reload lets go in a moment.
    const signal = AbortSignal.timeout(LOCK_PATIENCE_MS);
    navigator.locks
      .request(`rivulet-studio ${videoId}`, { signal }, () => {
        resolve();
        return new Promise<void>(() => undefined);
      })
      .catch(() => reject(new Busy()));
  });
}

class Busy extends Error {}

async function start({ video, sound }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  const isSupported = async (config: VideoEncoderConfig): Promise<boolean> =>
    (await VideoEncoder.isConfigSupported(config)).supported ?? false;
  const config = await chooseVideo(video, isSupported);
  if (!config) {
    const message = `${video.widthPx}x${video.heightPx}`;
    return page.postMessage({ type: 'failed', reason: 'unsupported', message });
  }
  bitsPerSecond = video.bitsPerSecond;
  bitrate = new BitrateControl(bitsPerSecond);
  hasStopped = false;
  live = new LiveSession(
    {
      video: config,
      hasSound: sound,
      layout,
      onLive: (startedAtMs, codecs) => page.postMessage({ type: 'live', startedAtMs, codecs }),
      onSegment: keep,
      onFailure: (error) =>
        page.postMessage({ type: 'failed', reason: 'failed', message: error.message }),
    },
    performance.now(),
  );
}

async function keep(segment: SpooledSegment, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await opening;
  await uploader?.add(segment, bytes);
  if (!bitrate || !uploader) return;
  bitsPerSecond = bitrate.update(uploader.backlog.segments, performance.now());
  live?.setBitrate(bitsPerSecond);
}

async function readPictures(
  source: PictureSource,
  frames: ReadableStream<VideoFrame> | undefined,
): Promise<void> {
  readers
    .get(source)
    ?.cancel()
    .catch(() => undefined);
  readers.delete(source);
  live?.forgetPicture(source);
  if (!frames) return;
  const reader = frames.getReader();
  readers.set(source, reader);
  await readAll(reader, (frame) => {
    if (live && readers.get(source) === reader) live.takePicture(source, frame, performance.now());
    else frame.close();
  });
  if (readers.get(source) === reader) live?.forgetPicture(source);
}

async function readSound(blocks: ReadableStream<AudioData>): Promise<void> {
  soundReader?.cancel().catch(() => undefined);
  const reader = blocks.getReader();
  soundReader = reader;
  await readAll(reader, async (data) => {
    if (live && soundReader === reader) await live.takeSound(data, performance.now());
    else data.close();
  });
}

/** Until the track ends, or another takes its place. */
async function readAll<Item>(
  reader: ReadableStreamDefaultReader<Item>,
  take: (item: Item) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || value === undefined) return;
    await take(value);
  }
}

async function stop(): Promise<void> {
  hasStopped = true;
  const ending = live;
  const recording = recorder;
  await ending?.stop(performance.now());
  live = undefined;
  recorder = undefined;
  await recording?.stop();
  for (;;) {
    const isAllSent = (await uploader?.settled()) ?? true;
    if (isAllSent && (await hasEnded())) break;
    await pause(END_RETRY_MS);
  }
  page.postMessage({ type: 'ended' });
}

/** Also where there is nothing to end, as when the broadcast never began. */
async function hasEnded(): Promise<boolean> {
  try {
    await client().endStream(access?.videoId ?? '');
    return true;
  } catch (error) {
    return error instanceof ApiError && !error.retryable && ![401, 403].includes(error.status);
  }
}

let isStatusDue = false;

function sendStatus(): void {
  if (isStatusDue) return;
  isStatusDue = true;
  setTimeout(() => {
    isStatusDue = false;
    if (!uploader) return;
    const { backlog, problem, state, sentBytes, lost } = uploader;
    page.postMessage({
      type: 'status',
      line: state,
      problem: problem && { code: problem.code, message: problem.message },
      backlogSegments: backlog.segments,
      backlogSeconds: backlog.seconds,
      sentBytes,
      lostSegments: lost,
      bitsPerSecond: live ? bitsPerSecond : 0,
      encodedFrames: live?.frames.encoded ?? 0,
      droppedFrames: live?.frames.dropped ?? 0,
    });
  }, STATUS_MS);
}

function record({ bytes, startedAtMs }: Extract<ToWorker, { type: 'recorded' }>): void {
  if (hasStopped && startedAtMs === undefined && !recorder) return;
  if (!recorder && startedAtMs !== undefined) {
    page.postMessage({ type: 'live', startedAtMs, codecs: '' });
  }
  recorder ??= new RecorderSession(keep);
  recorder.take(bytes, startedAtMs);
}

async function carryOut(message: ToWorker): Promise<void> {
  if (message.type === 'open') {
    opening = open(message);
    await opening;
  } else if (message.type === 'start') await start(message);
  else if (message.type === 'picture') await readPictures(message.source, message.frames);
  else if (message.type === 'sound') await readSound(message.blocks);
  else if (message.type === 'recorded') record(message);
  else if (message.type === 'stop') await stop();
  else if (message.type === 'layout') {
    layout = message.layout;
    live?.setLayout(layout);
  } else {
    wake();
    uploader?.resume();
  }
}

page.addEventListener('message', ({ data }) => {
  carryOut(data).catch((error: unknown) => {
    const reason = error instanceof Busy ? 'busy' : 'failed';
    page.postMessage({ type: 'failed', reason, message: String(error) });
  });
});

/** Timers of workers are not slowed down where the tab is hidden; frames drive the rest. */
setInterval(() => {
  live?.tick(performance.now());
  if (live) sendStatus();
}, TICK_MS);
