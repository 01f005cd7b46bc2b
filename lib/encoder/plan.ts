/** From the command line to ffmpeg's arguments: probes the source and decides how it is cut. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { defined } from '../base/defined.ts';
import type { EncodeCommand } from './command.ts';
import { codecArguments } from './cutting.ts';
import { type Probe, probeSource } from './probe.ts';
import { openSource, type Source } from './source.ts';

/** Paths of the programs, and their environment. */
export type Tools = Readonly<{
  ffmpeg: string;
  ffprobe: string;
  environment: Readonly<Record<string, string | undefined>>;
}>;

export type EncodePlan = Readonly<{
  source: Source;
  codecArguments: readonly string[];
  segmentSeconds: number;
  /** What ffmpeg reads as `pipe:0`. */
  stdin?: Readable;
  copies: boolean;
  /** For a file that is cut the same way each time: the session that a second run resumes. */
  resumableSession?: string;
}>;

const SEGMENT_SECONDS = { live: 2, file: 4 } as const;
/** Enough for two keyframes of nearly every camera. */
const LIVE_PROBE_SECONDS = 5;
const PROBE_TIMEOUT_MS = 20_000;
const HEAD_BYTES = 4_000_000;
const HEAD_MS = 5000;
const FINGERPRINT_BYTES = 1_048_576;

export async function planEncode(
  command: EncodeCommand,
  tools: Tools,
  stdin: Readable,
  signal: AbortSignal,
): Promise<EncodePlan> {
  const source = await openSource(command, tools.ffmpeg);
  const { inputArguments } = source;
  const segmentSeconds = command.segmentSeconds ?? SEGMENT_SECONDS[source.live ? 'live' : 'file'];
  let probe: Probe | undefined;
  let input: Readable | undefined;
  if (command.video !== 'encode' || source.kind === 'file') {
    const common = { ffprobe: tools.ffprobe, inputArguments, signal };
    if (source.kind === 'stdin') {
      const { head, whole } = await readHead(stdin, HEAD_BYTES, HEAD_MS);
      input = whole;
      probe = await probeSource({ ...common, stdin: head });
    } else if (source.kind === 'file') probe = await probeSource(common);
    else if (source.probeable) {
      const limits = { seconds: LIVE_PROBE_SECONDS, timeoutMs: PROBE_TIMEOUT_MS };
      probe = await probeSource({ ...common, ...limits });
    }
  } else if (source.kind === 'stdin') input = stdin;

  const cut = { segmentSeconds, live: source.live, light: source.kind === 'testsrc' };
  const codecs = codecArguments(probe, { ...command, ...cut });
  const file = source.kind === 'file' && !source.live ? inputArguments.at(-1) : undefined;
  const cutting = [codecs, segmentSeconds, command.durationSeconds];
  const resumableSession =
    file && (command.session ?? (await fingerprint(file.replace(/^file:/, ''), cutting)));
  return {
    source,
    codecArguments: codecs,
    segmentSeconds,
    copies: codecs.join(' ').includes('-c:v copy'),
    ...defined({ stdin: input, resumableSession }),
  };
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
