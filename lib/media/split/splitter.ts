/** Cuts a whole file into segments, one after the other, each as an encoder would have uploaded it. */

import {
  CustomSource,
  type EncodedPacket,
  type EncodedPacketSink,
  Input,
  MATROSKA,
  MP4,
  MPEG_TS,
  QTFF,
  ReadableStreamSource,
  WEBM,
} from 'mediabunny';
import { fitsSegment, isLongEnough, joinSpans, type KeyframeSpan } from '../../domain/file-cut.ts';
import type { FileTracks, FileVideo } from './file-tracks.ts';
import type { SourceFile } from './source-file.ts';
import { writeSegment } from './write-segment.ts';

const FORMATS = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS];
/** Tracks that lie apart in the file are read beside each other. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** What is read only once has to hold a segment of all tracks. */
const STREAM_CACHE_BYTES = 512 * 1024 * 1024;

export const openInput = ({ sizeBytes, read }: SourceFile): Input =>
  new Input({
    formats: FORMATS,
    source: new CustomSource({
      getSize: () => sizeBytes,
      read,
      maxCacheSize: CACHE_BYTES,
      // Few requests: the store may be far away.
      prefetchProfile: 'network',
      // The read that waits for it fails, too.
      handleUnhandledError: () => undefined,
    }),
  });

export const openStream = (stream: ReadableStream<Uint8Array>): Input =>
  new Input({
    formats: FORMATS,
    source: new ReadableStreamSource(stream, { maxCacheSize: STREAM_CACHE_BYTES }),
  });

export type CutSegment = Readonly<{
  bytes: Uint8Array;
  /** Of the file's clock; the next segment begins at the end, with a keyframe. */
  startSeconds: number;
  endSeconds: number;
  frames: number;
}>;

/** Why the file could not be read further. */
export type Damage = { message?: string };

/** The keyframes lie too far apart to cut at them. */
export class KeyframesTooFarApart extends Error {
  override readonly name = 'KeyframesTooFarApart';
}

export type SplitOptions = Readonly<{
  targetSeconds: number;
  /** The end of the segment before; undefined: from the start of the file. */
  fromSeconds?: number;
  /** Is told if the file breaks off; what came of it is given. */
  damage: Damage;
}>;

/** Sound may end so much later than the picture; more of it makes segments without picture. */
const SOUND_TAIL_SECONDS = 0.5;

/** Throws `KeyframesTooFarApart`. Gives nothing when nothing can be read. */
export async function* splitFile(
  tracks: FileTracks,
  { targetSeconds, fromSeconds, damage }: SplitOptions,
): AsyncGenerator<CutSegment> {
  const audio = tracks.audio.map(
    (track) => new PacketReader(packetsFrom(track.sink, fromSeconds), damage),
  );
  let startSeconds = fromSeconds;
  let pending: Span | undefined;
  const cut = async (from: number, endSeconds: number, untilSeconds = endSeconds) => {
    const video = pending?.packets ?? [];
    const sounds = await Promise.all(audio.map((reader) => reader.take(untilSeconds)));
    pending = undefined;
    startSeconds = endSeconds;
    const bytes = writeSegment(tracks, { video, endSeconds, audio: sounds });
    return { bytes, startSeconds: from, endSeconds, frames: video.length };
  };
  const { video } = tracks;
  for await (const span of video ? keyframeSpans(video, fromSeconds, damage) : []) {
    if (!fitsSegment(span)) throw new KeyframesTooFarApart();
    startSeconds ??= span.startsAt;
    if (pending && !fitsSegment(joinSpans(pending, span))) yield cut(startSeconds, span.startsAt);
    pending = pending
      ? { ...pending, ...joinSpans(pending, span), packets: [...pending.packets, ...span.packets] }
      : span;
    const endSeconds = span.startsAt + span.seconds;
    const untilSeconds = span.isLast ? endSeconds + SOUND_TAIL_SECONDS : endSeconds;
    if (span.isLast || isLongEnough(pending, targetSeconds)) {
      yield cut(startSeconds, endSeconds, untilSeconds);
    }
  }
  for (;;) {
    const starts = (await Promise.all(audio.map((reader) => reader.nextStart()))).filter(isKnown);
    if (starts.length === 0) return;
    const from: number = startSeconds ?? Math.min(...starts);
    // A hole in the sound is no segment.
    const endSeconds = Math.max(from, Math.min(...starts)) + targetSeconds;
    const sounds = await Promise.all(audio.map((reader) => reader.take(endSeconds)));
    const bytes = writeSegment(tracks, { video: [], endSeconds, audio: sounds });
    startSeconds = endSeconds;
    yield { bytes, startSeconds: from, endSeconds, frames: 0 };
  }
}

/** Times are counted in ticks that are coarser than samples in some files. */
const ROUNDING_SECONDS = 1e-5;

const isKnown = (seconds: number | undefined): seconds is number => seconds !== undefined;

type Span = KeyframeSpan &
  Readonly<{ startsAt: number; packets: readonly EncodedPacket[]; isLast: boolean }>;

/** From keyframe to keyframe. Frames before the first keyframe cannot be decoded, and are left out. */
async function* keyframeSpans(
  { sink, pixels }: FileVideo,
  fromSeconds: number | undefined,
  damage: Damage,
): AsyncGenerator<Span> {
  const first = fromSeconds === undefined ? undefined : await sink.getKeyPacket(fromSeconds);
  // Behind the last keyframe there is sound alone.
  if (fromSeconds !== undefined && first?.timestamp !== fromSeconds) return;
  const reader = new PacketReader(sink.packets(first ?? undefined), damage);
  let packets: EncodedPacket[] = [];
  let bytes = 0;
  const spanUpTo = (endSeconds: number, isLast: boolean): Span => {
    const startsAt = packets[0]?.timestamp ?? 0;
    const frames = packets.length;
    const measured = { seconds: endSeconds - startsAt, frames, pixels: frames * pixels, bytes };
    return { ...measured, startsAt, packets, isLast };
  };
  for (let packet = await reader.next(); packet; packet = await reader.next()) {
    if (packet.type === 'key' && packets.length > 0) {
      yield spanUpTo(packet.timestamp, false);
      [packets, bytes] = [[], 0];
    }
    if (packets.length === 0 && packet.type !== 'key') continue;
    packets.push(packet);
    bytes += packet.byteLength;
    // Not to be gathered without end.
    if (!fitsSegment({ ...spanUpTo(packet.timestamp, false) })) throw new KeyframesTooFarApart();
  }
  if (packets.length > 0) yield spanUpTo(endOf(packets), true);
}

/** Not every container says how long the last frame lasts. */
function endOf(packets: readonly EncodedPacket[]): number {
  const times = packets.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  const [first = 0] = times;
  const last = times.at(-1) ?? 0;
  const mean = times.length > 1 ? (last - first) / (times.length - 1) : 1 / 25;
  const { duration = 0 } = packets.find(({ timestamp }) => timestamp === last) ?? {};
  return last + (duration > 0 ? duration : mean);
}

/** Packets that begin at a time or later; from the start of the file, those that are heard. */
async function* packetsFrom(
  sink: EncodedPacketSink,
  fromSeconds: number | undefined,
): AsyncGenerator<EncodedPacket> {
  if (fromSeconds === undefined) return yield* heardPackets(sink);
  const before = await sink.getPacket(fromSeconds);
  for await (const packet of sink.packets(before ?? undefined)) {
    if (packet.timestamp >= fromSeconds) yield packet;
  }
}

/** What lies before zero is hidden by an edit list. The last packet of it stays: the next is decoded with it. */
async function* heardPackets(sink: EncodedPacketSink): AsyncGenerator<EncodedPacket> {
  let hidden: EncodedPacket | undefined;
  for await (const packet of sink.packets()) {
    if (packet.timestamp + packet.duration <= ROUNDING_SECONDS) {
      hidden = packet;
      continue;
    }
    if (hidden) yield hidden;
    hidden = undefined;
    yield packet;
  }
}

/** A file that breaks off has no packets behind that. */
class PacketReader {
  readonly #packets: AsyncGenerator<EncodedPacket>;
  readonly #damage: Damage;
  #ahead: EncodedPacket | undefined;

  constructor(packets: AsyncGenerator<EncodedPacket>, damage: Damage) {
    this.#packets = packets;
    this.#damage = damage;
  }

  async next(): Promise<EncodedPacket | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead) return ahead;
    try {
      return (await this.#packets.next()).value ?? undefined;
    } catch (error) {
      this.#damage.message ??= (error as Error).message;
      return undefined;
    }
  }

  async nextStart(): Promise<number | undefined> {
    this.#ahead = await this.next();
    return this.#ahead?.timestamp;
  }

  /** All that begin before a time. */
  async take(untilSeconds: number): Promise<EncodedPacket[]> {
    const taken: EncodedPacket[] = [];
    for (let packet = await this.next(); packet; packet = await this.next()) {
      if (packet.timestamp >= untilSeconds) {
        this.#ahead = packet;
        break;
      }
      taken.push(packet);
    }
    return taken;
  }
}
