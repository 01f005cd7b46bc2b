/**
 * One connection to a network source: an ffmpeg that copies the source's tracks, undecoded, to a pipe.
 *
 * What is probed and what is sent come from the same connection, so a camera that came back with other
 * parameters is cut by those. Silence is noticed here, for all protocols alike.
 */

import { spawn } from 'node:child_process';
import { MAX_INTERLEAVE } from './cutting.ts';
import { LastLines, reasonFromLines } from './ffmpeg-reason.ts';
import type { Tools } from './plan.ts';

export type FeedOptions = Readonly<{
  tools: Tools;
  /** Of ffmpeg, `-i` included. */
  inputArguments: readonly string[];
  /** The feed ends when nothing came for so long: at first, and between its packets. */
  startMs: number;
  silenceMs: number;
  /** Its times are those of a clock: a step of it ends the feed. A file may have pauses. */
  hasClock: boolean;
  signal: AbortSignal;
}>;

export type Feed = Readonly<{
  /** NUT, with the tracks that ffmpeg could identify. Ends with the connection, in any way. */
  bytes: AsyncIterable<Uint8Array>;
  /**
   * Which tracks are cut. From now on the feed ends when packets of another track come, or no more
   * of the video: segments are cut at its keyframes.
   */
  carry(tracks: CarriedTracks): void;
  /** Why it ended, in one line; undefined while it goes on. */
  ending(): string | undefined;
  /** Ends the connection. Resolves when ffmpeg is gone. */
  close(): Promise<void>;
}>;

/** Tracks of a feed by their position among those of their type. Only the first video counts. */
export type CarriedTracks = Readonly<{ video: boolean; audio: readonly number[] }>;

/** No failure. */
export const SOURCE_ENDED = 'the source ended';

const SOUND_BEGAN = 'another sound began';
const PICTURE_BEGAN = 'the picture began';
/** Which way is not known: to ffmpeg a jump back of an RTP clock may be one ahead, over its 32 bits. */
const CLOCK_JUMPED = 'its clock jumped';
const KILL_AFTER_MS = 2000;
/** "u": a track whose parameters no packet has told yet would stop the others. */
const TRACKS = ['-map', '0:V:u?', '-map', '0:a:u?', '-c', 'copy', '-dn', '-sn'];
/** ffmpeg warns of each packet whose time lies before the one ahead of it, and spoils its time. */
const STEPPED_BACK = /Non-monoton/;
/** Of so many within so long: a damaged packet or two are no step. */
const STEPPED_BACK_LIMIT = { packets: 10, ms: 5000 } as const;
/** A step ahead would make a cut at each keyframe until the segments' numbers have caught up with it. */
const MAX_STEP_SECONDS = 10;
/** ffmpeg names a track that begins after the others, and leaves it out. */
const NEW_TRACK = /New (audio|video) stream/;

export function openFeed(options: FeedOptions): Feed {
  const { tools, inputArguments, startMs, silenceMs, hasClock, signal } = options;
  const args = [
    ...['-hide_banner', '-nostats', '-nostdin', '-v', 'warning', ...inputArguments],
    ...[...TRACKS, ...MAX_INTERLEAVE, '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
    // A line for each packet.
    ...[...TRACKS, '-flush_packets', '1', '-f', 'framecrc', 'pipe:2'],
  ];
  const child = spawn(tools.ffmpeg, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: tools.environment,
  });
  const tail = new LastLines();
  const packets = new PacketLog(silenceMs, hasClock);
  let why: string | undefined;
  const stepsBackMs: number[] = [];
  let timer: NodeJS.Timeout | undefined;

  const end = (reason: string): void => {
    why ??= reason;
    if (timer) return;
    // Politely: an RTSP server learns that its session is over.
    child.kill('SIGINT');
    timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of tail.add(text, (line) => packets.add(line))) {
      if (hasClock && STEPPED_BACK.test(line)) stepsBackMs.push(performance.now());
      const [, newTrack] = line.match(NEW_TRACK) ?? [];
      if (newTrack) end(newTrack === 'audio' ? SOUND_BEGAN : PICTURE_BEGAN);
    }
    if (packets.trouble !== undefined) end(packets.trouble);
    const { packets: most, ms } = STEPPED_BACK_LIMIT;
    stepsBackMs.splice(0, stepsBackMs.length - most);
    if (stepsBackMs.length === most && performance.now() - (stepsBackMs[0] ?? 0) <= ms) {
      end(CLOCK_JUMPED);
    }
  });
  const gone = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      why ??= `ffmpeg did not start: ${error.message}`;
      resolve();
    });
    child.on('close', (code) => {
      const ended = code === 0 ? SOURCE_ENDED : reasonFromLines(tail.all, 'the source failed');
      why ??= ended;
      clearTimeout(timer);
      resolve();
    });
  });
  signal.addEventListener('abort', () => end('interrupted'), { once: true });
  if (signal.aborted) end('interrupted');

  async function* bytes(): AsyncGenerator<Uint8Array> {
    const iterator = child.stdout[Symbol.asyncIterator]();
    for (let limitMs = startMs; ; limitMs = silenceMs) {
      // It rejects when the pipe is closed while it is read: the feed was closed.
      const read = iterator.next().catch(() => ENDED);
      const next = await within(read, limitMs);
      if (next === undefined) end(`no media for ${Number((limitMs / 1000).toFixed(1))} s`);
      if (next === undefined || next.done || why !== undefined) break;
      yield next.value;
    }
    child.stdout.destroy();
    // So that the reason is known when the bytes have ended.
    await gone;
  }

  return {
    bytes: bytes(),
    carry: (tracks) => packets.carry(tracks),
    ending: () => why,
    async close() {
      end('closed');
      child.stdout.destroy();
      await gone;
    },
  };
}

/** A track's time base in seconds, and its newest packet. */
type Track = { tickSeconds: number; dts?: number; atMs: number };

/** What ffmpeg's framecrc muxer says of a connection's packets. */
class PacketLog {
  readonly #silenceMs: number;
  readonly #hasClock: boolean;
  readonly #audio: string[] = [];
  readonly #tracks = new Map<string, Track>();
  #video: string | undefined;
  #lastVideoMs = performance.now();
  #carried: CarriedTracks | undefined;
  trouble: string | undefined;

  constructor(silenceMs: number, hasClock: boolean) {
    this.#silenceMs = silenceMs;
    this.#hasClock = hasClock;
  }

  carry(tracks: CarriedTracks): void {
    this.#carried = tracks;
    this.#lastVideoMs = performance.now();
  }

  /** Whether the line was one of these. */
  add(line: string): boolean {
    const [, track, dts] = line.match(/^(\d+), +(-?\d+), +-?\d+, /) ?? [];
    if (track !== undefined) this.#packet(track, Number(dts));
    const [, timed, numerator, denominator] = line.match(/^#tb (\d+): (\d+)\/(\d+)/) ?? [];
    if (timed !== undefined) {
      const tickSeconds = Number(numerator) / Number(denominator);
      this.#tracks.set(timed, { tickSeconds, atMs: performance.now() });
    }
    const [, index, type] = line.match(/^#media_type (\d+): (video|audio)/) ?? [];
    if (index !== undefined && type === 'audio') this.#audio.push(index);
    if (index !== undefined && type === 'video') this.#video ??= index;
    return track !== undefined || line.startsWith('#');
  }

  #packet(index: string, dts: number): void {
    const nowMs = performance.now();
    const carried = this.#carried;
    const audio = this.#audio.indexOf(index);
    if (index === this.#video) this.#lastVideoMs = nowMs;
    const track = this.#tracks.get(index);
    if (track) {
      const passed = (dts - (track.dts ?? dts)) * track.tickSeconds;
      if (this.#hasClock && passed - (nowMs - track.atMs) / 1000 > MAX_STEP_SECONDS) {
        this.trouble ??= CLOCK_JUMPED;
      }
      Object.assign(track, { dts, atMs: nowMs });
    }
    if (!carried) return;
    if (index === this.#video ? !carried.video : audio >= 0 && !carried.audio.includes(audio)) {
      this.trouble ??= index === this.#video ? PICTURE_BEGAN : SOUND_BEGAN;
    } else if (carried.video && nowMs - this.#lastVideoMs > this.#silenceMs) {
      this.trouble ??= 'the picture stopped';
    }
  }
}

const ENDED: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };

/** undefined when the value did not come in time. */
async function within<T>(value: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}
