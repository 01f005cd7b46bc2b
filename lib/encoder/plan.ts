/** From the command line to ffmpeg's arguments: probes the source and decides how it is cut. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { defined } from '../base/defined.ts';
import type { EncodeCommand } from './command.ts';
import { codecArguments } from './cutting.ts';
import { type CarriedTracks, type Feed, openFeed } from './feed.ts';
import { type Probe, probeSource } from './probe.ts';
import type { Source } from './source.ts';

/** Paths of the programs, and their environment. */
export type Tools = Readonly<{
  ffmpeg: string;
  ffprobe: string;
  environment: Readonly<Record<string, string | undefined>>;
}>;

export type EncodePlan = Readonly<{
  inputArguments: readonly string[];
  codecArguments: readonly string[];
  segmentSeconds: number;
  /** What ffmpeg reads as `pipe:0`. */
  stdin?: Readable;
  /** The connection of a network source: to be closed. */
  feed?: Feed;
  copies: boolean;
  /** How much earlier than the picture the sound begins. */
  leadSeconds: number;
  /** A camera that sends JPEG pictures over HTTP, which nothing but its data tells from a file. */
  isCamera?: true;
  /** Of one picture; undefined if it is not known. */
  frameSeconds?: number;
  /** For a file that is cut the same way each time: the session that a second run resumes. */
  resumableSession?: string;
}>;

export type PlanOptions = Readonly<{
  tools: Tools;
  stdin: Readable;
  /** See `FeedOptions`. */
  startMs: number;
  signal: AbortSignal;
}>;

/** The source was opened, and nothing came. The message is the reason, in one line. */
export class SourceAway extends Error {
  override readonly name = 'SourceAway';
}

const SEGMENT_SECONDS = { live: 2, file: 4 } as const;
/** HLS and files come in bursts. */
const SILENCE_MS = { camera: 10_000, http: 60_000 } as const;
const HEAD_BYTES = 4_000_000;
/** Enough for two keyframes of nearly every camera. */
const HEAD_MS = 5000;
const FINGERPRINT_BYTES = 1_048_576;

/** Opens a network source, and probes what can be probed. Throws `SourceAway`. */
export async function planEncode(
  source: Source,
  command: EncodeCommand,
  options: PlanOptions,
): Promise<EncodePlan> {
  const { tools, signal } = options;
  const { ffprobe } = tools;
  const segmentSeconds = command.segmentSeconds ?? SEGMENT_SECONDS[source.live ? 'live' : 'file'];
  let { inputArguments } = source;
  let probe: Probe | undefined;
  let stdin: Readable | undefined;
  let feed: Feed | undefined;
  if (source.kind === 'network') {
    const silenceMs = SILENCE_MS[source.endless ? 'camera' : 'http'];
    const hasClock = source.endless;
    const { startMs } = options;
    feed = openFeed({ tools, inputArguments, silenceMs, hasClock, startMs, signal });
    inputArguments = ['-f', 'nut', '-i', 'pipe:0'];
    const { head, whole } = await readHead(feed.bytes, HEAD_BYTES, HEAD_MS);
    if (head.length > 0) probe = await probeSource({ ffprobe, inputArguments, stdin: head });
    if (!probe) {
      const why = feed.ending() ?? 'what it sends is not media that ffmpeg can read';
      await feed.close();
      throw new SourceAway(why);
    }
    stdin = whole;
  } else if (source.kind === 'stdin' && command.video !== 'encode') {
    const { head, whole } = await readHead(options.stdin, HEAD_BYTES, HEAD_MS);
    probe = await probeSource({ ffprobe, inputArguments, stdin: head, signal });
    stdin = whole;
  } else if (source.kind === 'stdin') stdin = options.stdin;
  else if (source.kind === 'file') probe = await probeSource({ ffprobe, inputArguments, signal });

  const cut = { segmentSeconds, live: source.live, light: source.kind === 'testsrc' };
  // A track that is declared and silent would hold back the others; the feed tells when it begins.
  const carried = feed && probe ? carriedTracks(probe) : undefined;
  if (carried) feed?.carry(carried);
  const codecs = codecArguments(probe, { ...command, ...cut, ...defined({ carried }) });
  const file = source.kind === 'file' && !source.live ? inputArguments.at(-1) : undefined;
  const cutting = [codecs, segmentSeconds, command.durationSeconds];
  const resumableSession =
    file && (command.session ?? (await fingerprint(file.replace(/^file:/, ''), cutting)));
  return {
    inputArguments,
    codecArguments: codecs,
    segmentSeconds,
    copies: codecs.join(' ').includes('-c:v copy'),
    leadSeconds: probe?.video ? Math.max(0, probe.video.startSeconds - probe.startSeconds) : 0,
    ...defined({ stdin, feed, resumableSession, frameSeconds: probe?.video?.frameSeconds }),
    ...(feed && isJpegCamera(probe) && { isCamera: true }),
  };
}

const isJpegCamera = (probe: Probe | undefined): boolean =>
  probe?.video?.codec === 'mjpeg' && probe.video.frameSeconds !== undefined;

/** All, where nothing came of any: what is sent so slowly is not excluded. */
function carriedTracks({ video, audio }: Probe): CarriedTracks {
  const nothingCame = [video, ...audio].every((track) => !track || track.silent === true);
  const carried = audio.flatMap(({ silent }, index) => (silent && !nothingCame ? [] : [index]));
  return { video: video !== undefined && (nothingCame || !video.silent), audio: carried };
}

/** A session name for these bytes cut by these arguments: they make the same segments each time. */
async function fingerprint(path: string, cutting: readonly unknown[]): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256').update(JSON.stringify([size, cutting]));
    const length = Math.min(size, FINGERPRINT_BYTES);
    for (const position of [0, size - length]) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      hash.update(buffer.subarray(0, bytesRead));
    }
    return `file-${hash.digest('hex').slice(0, 24)}`;
  } finally {
    await file.close();
  }
}

/**
 * Reads the beginning of a stream that can be read only once, until `maxBytes` have come, the stream
 * has ended, or `maxMs` have passed since the first byte. `whole`: the stream, `head` included.
 */
async function readHead(stream: AsyncIterable<Uint8Array>, maxBytes: number, maxMs: number) {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let pending = iterator.next();
  let timeout: Promise<'late'> | undefined;
  let timer: NodeJS.Timeout | undefined;
  while (size < maxBytes) {
    const result = await (timeout ? Promise.race([pending, timeout]) : pending);
    if (result === 'late' || result.done) break;
    chunks.push(result.value);
    size += result.value.length;
    pending = iterator.next();
    timeout ??= new Promise((resolve) => {
      timer = setTimeout(resolve, maxMs, 'late');
    });
  }
  clearTimeout(timer);

  async function* all(): AsyncGenerator<Uint8Array> {
    yield* chunks;
    for (let result = await pending; !result.done; result = await iterator.next())
      yield result.value;
  }
  return { head: Buffer.concat(chunks), whole: Readable.from(all(), { objectMode: false }) };
}
