/** Writes the packets of a segment's tracks into a file of each format that viewers may ask for. */

import {
  type AudioCodec,
  BufferTarget,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedVideoPacketSource,
  MovOutputFormat,
  Mp4OutputFormat,
  Output,
  type OutputFormat,
  type Rotation,
  type VideoCodec,
  WebMOutputFormat,
} from 'mediabunny';
import type { DownloadFormat } from '../../domain/media-format.ts';
import { TICKS_PER_SECOND } from '../../domain/ticks.ts';
import { endMovieAt } from './mp4-movie-end.ts';
import { writeMpegTs } from './mpegts-file.ts';

type Packets = Readonly<{
  /** In decode order. */
  packets: readonly EncodedPacket[];
  decoderConfig: object | undefined;
}>;

export type FileTrack = Packets &
  (
    | Readonly<{ kind: 'video'; codec: VideoCodec; rotation: Rotation }>
    | Readonly<{ kind: 'audio'; codec: AudioCodec; languageCode: string }>
  );

/** What the file holds of the tracks' time; left out: all. */
export type Bounds = Readonly<{ startSeconds: number; endSeconds: number }>;

/** What mediabunny writes; the header of MP4 and MOV comes first. */
const MUXERS: Readonly<Record<Exclude<DownloadFormat, 'ts'>, () => OutputFormat>> = {
  mp4: () => new Mp4OutputFormat({ fastStart: 'in-memory' }),
  webm: () => new WebMOutputFormat(),
  mov: () => new MovOutputFormat({ fastStart: 'in-memory' }),
};

/**
 * MPEG-TS keeps the tracks' times: a player of a stream needs them. Players of single files show nothing
 * from 0 to a later start, so all others begin at 0.
 */
export async function writeFile(
  tracks: readonly FileTrack[],
  format: DownloadFormat,
  bounds?: Bounds,
): Promise<Uint8Array> {
  const hasEdits = format === 'mp4' || format === 'mov';
  const chosen = tracks.map((track) => ({
    ...track,
    packets: bounds && track.kind === 'audio' ? packetsIn(track, bounds, hasEdits) : track.packets,
  }));
  if (format === 'ts') return writeMpegTs(chosen);
  const startSeconds = startOf(chosen, hasEdits, bounds);
  const bytes = await mux(chosen, format, startSeconds);
  if (hasEdits && bounds) {
    const videoEnds = tracks.filter(({ kind }) => kind === 'video').map(endOf);
    endMovieAt(bytes, Math.max(bounds.endSeconds, ...videoEnds) - startSeconds);
  }
  return bytes;
}

/**
 * With edit lists: all that are heard between the bounds, and one before them, from which a decoder of
 * AAC comes in step. Without: those whose greater part lies between the bounds.
 */
function packetsIn({ packets }: Packets, bounds: Bounds, hasEdits: boolean): EncodedPacket[] {
  const { startSeconds, endSeconds } = bounds;
  const leadSeconds = packets[0]?.duration ?? 0;
  return packets.filter(({ timestamp, duration }) =>
    hasEdits
      ? timestamp + duration > startSeconds - leadSeconds && timestamp < endSeconds
      : timestamp + duration / 2 >= startSeconds && timestamp + duration / 2 < endSeconds,
  );
}

/** The picture's start: sound before it is cut off by edit lists. Where there are none, the first packet's. */
function startOf(tracks: readonly FileTrack[], hasEdits: boolean, bounds?: Bounds): number {
  const starts = tracks.map(({ packets }) =>
    packets.reduce((least, { timestamp }) => Math.min(least, timestamp), Number.POSITIVE_INFINITY),
  );
  const video = tracks.findIndex(({ kind }) => kind === 'video');
  const start = hasEdits ? (starts[video] ?? bounds?.startSeconds) : undefined;
  return start ?? Math.min(...starts);
}

const endOf = ({ packets }: Packets): number =>
  packets.reduce((end, { timestamp, duration }) => Math.max(end, timestamp + duration), 0);

async function mux(
  tracks: readonly FileTrack[],
  format: keyof typeof MUXERS,
  startSeconds: number,
): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: MUXERS[format](), target });
  const copies = tracks.map((track) => {
    if (track.kind === 'video') {
      const source = new EncodedVideoPacketSource(track.codec);
      output.addVideoTrack(source, videoMetadata(format, track.rotation));
      return copier(track, source, startSeconds);
    }
    const source = new EncodedAudioPacketSource(track.codec);
    output.addAudioTrack(source, { languageCode: track.languageCode });
    return copier(track, source, startSeconds);
  });
  await output.start();
  await Promise.all(copies.map((copy) => copy()));
  await output.finalize();
  if (!target.buffer) throw new Error('The muxer gave no file.');
  return new Uint8Array(target.buffer);
}

/** In MP4 and MOV the rate is the track's time scale. */
const videoMetadata = (format: keyof typeof MUXERS, rotation: Rotation) =>
  format === 'webm' ? { rotation } : { rotation, frameRate: TICKS_PER_SECOND };

type PacketSink = Readonly<{
  add(packet: EncodedPacket, meta: object): Promise<void>;
  close(): void;
}>;

const copier =
  ({ packets, decoderConfig }: Packets, sink: PacketSink, startSeconds: number) =>
  async (): Promise<void> => {
    const meta = decoderConfig ? { decoderConfig } : {};
    for (const packet of packets) {
      await sink.add(packet.clone({ timestamp: packet.timestamp - startSeconds }), meta);
    }
    sink.close();
  };
