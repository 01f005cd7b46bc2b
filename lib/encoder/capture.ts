/**
 * One run of ffmpeg that cuts a source into MPEG-TS segments.
 *
 * ffmpeg pushes them to a server in this process. So a segment exists only when it is complete, its
 * exact duration comes with ffmpeg's playlist, ffmpeg waits while the spool is full, and ffmpeg ends by
 * itself when this process is killed.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { defined } from '../base/defined.ts';
import { LastLines, reasonFromLines } from './ffmpeg-reason.ts';
import type { Tools } from './plan.ts';
import { type PushAnswer, startPushServer } from './push-server.ts';
import { storeWhole } from './spool.ts';

export type CaptureOptions = Readonly<{
  tools: Tools;
  inputArguments: readonly string[];
  codecArguments: readonly string[];
  segmentSeconds: number;
  /**
   * Whether the segment that is the last one, and a very short one, is kept: asked at the end. Any other
   * that is so short is joined to the one after it.
   */
  keepsTail(durationSeconds: number): boolean;
  /** The capture is finished, as failed, when no segment was cut for so long. */
  stallMs?: number | undefined;
  /** For this capture only: created, and removed at the end. */
  folder: string;
  /** What ffmpeg reads as `pipe:0`. */
  stdin?: Readable | undefined;
  /** Called in order, with numbers from 0 without a hole; moves the file away. */
  onSegment(
    cut: Readonly<{ number: number; durationSeconds?: number; path: string }>,
  ): Promise<void>;
  /** Resolves when there is room for one more segment. */
  admit(): Promise<void>;
}>;

export type CaptureEnd = Readonly<{
  /** How many were cut: numbers 0 to `segments - 1`. */
  segments: number;
  /** In one line; absent when the source ended or the capture was stopped. */
  failure?: string;
  /** By `finish`, `kill` or `stallMs`, and not by its own end. */
  stopped: boolean;
}>;

export type Capture = Readonly<{
  done: Promise<CaptureEnd>;
  /** Finishes the segment that is being cut. */
  finish(): void;
  /** Discards the segment that is being cut. */
  kill(): void;
}>;

/** ffmpeg reads `q` only between packets: a silent source needs a signal, and in the end SIGKILL. */
const SIGNAL_AFTER_MS = 2000;
const FINISH_GRACE_MS = 5000;
/** A segment that is shorter, and shorter than half of what was asked for, is not sent alone. */
const SLIVER_SECONDS = 0.5;
/** What ffmpeg's playlist says of a picture whose end it does not know. */
const UNKNOWN_SECONDS = 0.001;
const PLAYLIST = 'cut.m3u8';
/** Duration and number: segments are named by number. */
const LISTED_SEGMENT = /#EXTINF:([\d.]+),[^\n]*\n(?:[^\n]*\/)?(\d+)\.ts/g;

export async function startCapture(options: CaptureOptions): Promise<Capture> {
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true });
  // Other programs of this machine can reach the port as well.
  const secret = randomBytes(12).toString('hex');
  const arrivals = new Map<number, Promise<string | undefined>>();
  const durations = new Map<number, number>();
  const open = new Set<Promise<unknown>>();
  const sliverSeconds = Math.min(SLIVER_SECONDS, options.segmentSeconds / 2);
  let held: Piece | undefined;
  let segments = 0;
  let failure: string | undefined;
  let ended = false;
  let stopped: 'finish' | 'kill' | undefined;

  async function pass({ path, durationSeconds }: Piece): Promise<void> {
    const number = segments;
    segments += 1;
    const known = durationSeconds !== undefined && durationSeconds >= UNKNOWN_SECONDS;
    await options.onSegment({ number, path, ...(known && { durationSeconds }) });
  }

  async function passOrHold(piece: Piece): Promise<void> {
    const whole = held ? await joinPieces(held, piece) : piece;
    const isSliver = (whole.durationSeconds ?? Number.POSITIVE_INFINITY) < sliverSeconds;
    held = isSliver ? whole : undefined;
    if (!isSliver) await pass(whole);
  }

  let handed = Promise.resolve();
  const hand = (number: number): Promise<void> => {
    const arrival = arrivals.get(number);
    const durationSeconds = durations.get(number);
    arrivals.delete(number);
    durations.delete(number);
    // One after the other, in order: the first that is sent opens the run.
    const turn = handed.then(async () => {
      const path = await arrival;
      if (path !== undefined) await passOrHold({ path, ...defined({ durationSeconds }) });
    });
    handed = turn.catch(() => undefined);
    return turn;
  };

  async function take(name: string, body: Promise<Uint8Array>): Promise<void> {
    if (name === PLAYLIST) {
      const playlist = Buffer.from(await body).toString('utf8');
      for (const [, seconds, number] of playlist.matchAll(LISTED_SEGMENT)) {
        if (arrivals.has(Number(number))) durations.set(Number(number), Number(seconds));
      }
      ended ||= playlist.includes('#EXT-X-ENDLIST');
      await Promise.all([...durations.keys()].map(hand));
      return;
    }
    const number = Number.parseInt(name, 10);
    arrived = true;
    watch();
    const arrival = body.then(
      (bytes) => storeWhole(join(options.folder, name), bytes),
      // ffmpeg died in the middle of it.
      () => undefined,
    );
    arrivals.set(number, arrival);
    await arrival;
  }

  const server = await startPushServer({
    async onFile([key, name = ''], body): Promise<PushAnswer> {
      if (key !== secret) return { status: 403 };
      const taken = take(name, body);
      open.add(taken);
      try {
        await taken;
        return { status: 201 };
      } catch (error) {
        // ffmpeg does not read answers: the failure is reported when the capture is over.
        failure ??= `A segment could not be stored: ${String(error)}`;
        throw error;
      } finally {
        open.delete(taken);
      }
    },
    async admit([, name]) {
      if (name === PLAYLIST || stopped) return;
      await Promise.allSettled(open);
      await options.admit();
    },
  });

  // With credentials in the address ffmpeg asks (Expect: 100-continue) before it sends a body.
  const base = `http://x:x@127.0.0.1:${server.port}/${secret}`;
  const args = [
    ...['-hide_banner', '-nostats', '-v', 'error'],
    ...options.inputArguments,
    ...options.codecArguments,
    ...['-f', 'hls', '-hls_time', String(options.segmentSeconds), '-hls_list_size', '6'],
    ...['-method', 'PUT', '-hls_segment_filename', `${base}/%d.ts`, `${base}/${PLAYLIST}`],
  ];
  const { environment } = options.tools;
  const noProxy = ['127.0.0.1', environment.no_proxy].filter(Boolean).join(',');
  const child = spawn(options.tools.ffmpeg, args, {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...environment, no_proxy: noProxy },
  });
  child.stdin.on('error', () => undefined);
  if (options.stdin) options.stdin.pipe(child.stdin);
  const tail = new LastLines();
  child.stderr.setEncoding('utf8').on('data', (text: string) => tail.add(text));
  const exited = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(`ffmpeg did not start: ${error.message}`));
    child.on('close', (code, signal) => {
      const why = reasonFromLines(tail.all, `it ended with ${signal ?? `code ${code}`}`);
      resolve(code === 0 ? undefined : `ffmpeg: ${why}`);
    });
  });

  function finish(): void {
    if (stopped) return;
    stopped = 'finish';
    if (options.stdin) {
      options.stdin.unpipe(child.stdin);
      child.stdin.end();
    } else {
      child.stdin.write('q\n');
    }
    setTimeout(() => child.kill('SIGINT'), SIGNAL_AFTER_MS).unref();
    setTimeout(() => child.kill('SIGKILL'), FINISH_GRACE_MS).unref();
  }

  let stall: NodeJS.Timeout | undefined;
  let arrived = false;
  function watch(): void {
    clearTimeout(stall);
    const { stallMs } = options;
    if (stallMs === undefined) return;
    stall = setTimeout(() => {
      failure ??= `no segment for ${stallMs / 1000} s`;
      finish();
    }, stallMs);
  }
  watch();

  async function end(): Promise<CaptureEnd> {
    const exit = await exited;
    clearTimeout(stall);
    options.stdin?.unpipe(child.stdin);
    // Its last requests may still arrive.
    const deadline = performance.now() + FINISH_GRACE_MS;
    const isAwaited = (): boolean =>
      exit === undefined && !ended && arrived && performance.now() < deadline;
    while (open.size > 0 || isAwaited()) {
      await Promise.allSettled(open);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Segments that arrived complete from an ffmpeg that died before their playlist.
    if (stopped !== 'kill') await Promise.allSettled([...arrivals.keys()].map(hand));
    if (stopped !== 'kill' && held && options.keepsTail(held.durationSeconds ?? 0)) {
      await pass(held).catch((error: unknown) => {
        failure ??= `A segment could not be stored: ${String(error)}`;
      });
    }
    await server.close();
    await rm(options.folder, { recursive: true, force: true });
    const why = failure ?? (stopped ? undefined : exit);
    return { segments, stopped: stopped !== undefined, ...defined({ failure: why }) };
  }

  return {
    done: end(),
    finish,
    kill() {
      stopped = 'kill';
      child.kill('SIGKILL');
    },
  };
}

type Piece = Readonly<{ path: string; durationSeconds?: number }>;

/** Pieces of one transport stream that follow one another are one piece. */
async function joinPieces(first: Piece, second: Piece): Promise<Piece> {
  const bytes = Buffer.concat([await readFile(first.path), await readFile(second.path)]);
  const path = await storeWhole(second.path, bytes);
  await rm(first.path);
  if (second.durationSeconds === undefined) return { path };
  return { path, durationSeconds: (first.durationSeconds ?? 0) + second.durationSeconds };
}
