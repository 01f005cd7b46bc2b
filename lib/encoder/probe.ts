/** Probes a source before it is cut: its codecs, and where its keyframes are. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { defined } from '../base/defined.ts';

export type ProbedVideo = Readonly<{
  codec: string;
  /** By metadata, as phones do it; MPEG-TS cannot carry that. */
  rotated: boolean;
  /** Presentation times, in decoding order. */
  keyframeSeconds: readonly number[];
  /** Every GOP is closed, and the keyframes' times only grow. */
  closed: boolean;
  startSeconds: number;
  endSeconds: number;
  /** Of one picture, on average; undefined if there is one only. */
  frameSeconds?: number;
  /** Declared, but no packet came. */
  silent?: boolean;
}>;

export type Probe = Readonly<{
  video?: ProbedVideo;
  audio: readonly Readonly<{ codec: string; profile: string; silent?: boolean }>[];
  /** Of the track that begins first. */
  startSeconds: number;
}>;

export type ProbeOptions = Readonly<{
  ffprobe: string;
  /** `-i` included; `pipe:0` reads `stdin`. */
  inputArguments: readonly string[];
  stdin?: Uint8Array;
  signal?: AbortSignal;
}>;

/** Options of ffmpeg that ffprobe does not know. */
const UNKNOWN_FLAGS = ['-re', '-an'];
const UNKNOWN_VALUED = '-stream_loop';

const ENTRIES =
  'packet=stream_index,pts_time,duration_time,flags:stream=index,codec_type,codec_name,profile:' +
  'stream_side_data=rotation:stream_disposition=attached_pic';

/** undefined when ffprobe cannot read the source; the capture then reports why. */
export async function probeSource(options: ProbeOptions): Promise<Probe | undefined> {
  const { ffprobe, inputArguments, stdin } = options;
  const args = ['-v', 'error', '-show_entries', ENTRIES, '-of', 'compact'];
  const input = inputArguments.filter(
    (arg, at) =>
      !UNKNOWN_FLAGS.includes(arg) &&
      arg !== UNKNOWN_VALUED &&
      inputArguments[at - 1] !== UNKNOWN_VALUED,
  );
  const child = spawn(ffprobe, [...args, ...input], {
    stdio: ['pipe', 'pipe', 'ignore'],
    ...defined({ signal: options.signal }),
  });
  const exited = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.on('close', resolve);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);

  const packets = new Map<string, VideoScan>();
  const streams: Fields[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('packet|')) scanPacket(packets, fieldsOf(line));
    else if (line.startsWith('stream|')) streams.push(fieldsOf(line));
  }
  const code = await exited;
  if (streams.length === 0 || (code !== 0 && !stdin)) return undefined;
  return describe(streams, packets);
}

type Fields = Readonly<Record<string, string>>;

/** Of `packet|pts_time=1.0|flags=K__`. */
const fieldsOf = (line: string): Fields =>
  Object.fromEntries(Array.from(line.matchAll(/\|([^|=]+)=([^|]*)/g), (field) => field.slice(1)));

type VideoScan = {
  keyframes: number[];
  closed: boolean;
  packets: number;
  start: number;
  end: number;
};

function scanPacket(scans: Map<string, VideoScan>, packet: Fields): void {
  const index = packet.stream_index ?? '';
  const seconds = Number(packet.pts_time);
  if (Number.isNaN(seconds)) return;
  const isKeyframe = packet.flags?.startsWith('K') ?? false;
  let scan = scans.get(index);
  if (!scan) {
    // Frames before the first keyframe cannot be decoded.
    if (!isKeyframe) return;
    scan = { keyframes: [], closed: true, packets: 0, start: seconds, end: seconds };
    scans.set(index, scan);
  }
  scan.packets += 1;
  const keyframe = scan.keyframes.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (isKeyframe) {
    if (seconds <= keyframe) scan.closed = false;
    scan.keyframes.push(seconds);
  } else if (seconds < keyframe) {
    // Shown before the keyframe that it follows: it refers to frames of the previous segment.
    scan.closed = false;
  }
  scan.end = Math.max(scan.end, seconds + (Number(packet.duration_time) || 0));
}

function describe(streams: readonly Fields[], packets: ReadonlyMap<string, VideoScan>): Probe {
  const video = streams.find(
    (stream) => stream.codec_type === 'video' && stream['disposition:attached_pic'] !== '1',
  );
  const scan = video && packets.get(video.index ?? '');
  const silent = ({ index = '' }: Fields) => (packets.has(index) ? {} : { silent: true });
  return {
    startSeconds: Math.min(...Array.from(packets.values(), ({ start }) => start)),
    ...(video && {
      video: {
        codec: video.codec_name ?? '',
        rotated: Object.entries(video).some(
          ([name, value]) => name.endsWith('rotation') && Number(value) !== 0,
        ),
        keyframeSeconds: scan?.keyframes ?? [],
        closed: scan?.closed ?? false,
        startSeconds: scan?.start ?? 0,
        endSeconds: scan?.end ?? 0,
        ...(scan && scan.packets > 1 && { frameSeconds: (scan.end - scan.start) / scan.packets }),
        ...silent(video),
      },
    }),
    audio: streams
      .filter((stream) => stream.codec_type === 'audio')
      .map((stream) => ({
        codec: stream.codec_name ?? '',
        profile: stream.profile ?? '',
        ...silent(stream),
      })),
  };
}
