/** Source segments in MPEG-TS. */

import { DomainError } from '../../domain/errors.ts';
import { listCodecs, MEDIA_FORMATS } from '../../domain/media-format.ts';
import type { Notice } from '../../domain/notice.ts';
import { AAC_FRAME_SAMPLES, type FramedAudioCodec } from './audio-frames.ts';
import type {
  AudioFormat,
  DemuxedAudio,
  DemuxedSegment,
  DemuxedVideo,
  Demuxer,
} from './demuxed-segment.ts';
import { readAudio } from './mpegts-audio.ts';
import { indexPackets, isTransportStream, type PacketIndex } from './mpegts-packets.ts';
import { makeUnwrap, readPes } from './mpegts-pes.ts';
import { chooseProgram, type PresentStream } from './mpegts-programs.ts';
import { readPrograms } from './mpegts-tables.ts';
import { readVideo } from './mpegts-video.ts';
import type { NalCodec } from './nal-units.ts';

const MAX_AUDIO_TRACKS = 16;
const MAX_NAMED_FORMATS = 4;

export const mpegTs: Demuxer = {
  formatName: 'MPEG-TS',
  recognizes: isTransportStream,
  read: async (bytes) => readMpegTs(bytes),
};

/** Throws DomainError: `unsupported_media`, `no_keyframe`, `no_parameter_sets`, `undecodable`. */
function readMpegTs(bytes: Uint8Array): DemuxedSegment {
  const index = indexPackets(bytes);
  const program = chooseProgram(index, readPrograms(index));
  if (!program) {
    throw new DomainError(
      'unsupported_media',
      'The transport stream has no program map.',
      'Begin every segment with PAT and PMT (ffmpeg: -f hls, or -mpegts_flags resend_headers).',
    );
  }
  const reader = new StreamReader(index);
  const leftOut = inReadingOrder(program.streams).flatMap((it): LeftOut[] => {
    const what = reader.read(it);
    return what === undefined ? [] : [{ pid: it.stream.pid, what }];
  });
  const { video, audio, notices, lostPackets } = reader;
  const scrambled = program.streams.filter((it) => it.scrambled);
  if (!video && scrambled.some(({ kind }) => kind.kind === 'video')) throw encrypted();
  if (!video && audio.length === 0) {
    if (scrambled.some(({ kind }) => kind.kind === 'audio')) throw encrypted();
    if (leftOut.length > 0) throw unsupported(leftOut);
  }
  return {
    container: 'ts',
    ...(video && { video }),
    audio,
    notices: [
      ...program.notices,
      ...leftOut.map(({ pid, what }): Notice => {
        return { code: 'track_ignored', message: `Stream ${pid} is left out: ${what}.` };
      }),
      ...notices,
      ...damageNotices(index, lostPackets),
    ],
  };
}

type LeftOut = Readonly<{ pid: number; what: string }>;

class StreamReader {
  readonly #index: PacketIndex;
  readonly #unwrap = makeUnwrap();
  video: DemuxedVideo | undefined;
  readonly audio: DemuxedAudio[] = [];
  readonly notices: Notice[] = [];
  lostPackets = 0;

  constructor(index: PacketIndex) {
    this.#index = index;
  }

  /** What it is, if it is left out. */
  read(present: PresentStream): string | undefined {
    const { kind, scrambled } = present;
    if (kind.kind === 'data') return undefined;
    if (kind.kind === 'unsupported') return kind.name;
    if (scrambled) return 'it is scrambled';
    return kind.kind === 'video'
      ? this.#readVideo(present, kind.codec)
      : this.#readAudio(present, kind.codec);
  }

  #readVideo(present: PresentStream, codec: NalCodec): string | undefined {
    if (this.video) return 'a second video';
    const read = readVideo(codec, this.#readPes(present, true));
    if (!read) return 'a video in which no picture begins';
    this.video = read.video;
    this.notices.push(...read.notices);
    return undefined;
  }

  #readAudio(present: PresentStream, codec: FramedAudioCodec): string | undefined {
    if (this.audio.length === MAX_AUDIO_TRACKS) return `more than ${MAX_AUDIO_TRACKS} audio tracks`;
    const track = readAudio(present.stream, codec, this.#readPes(present, false));
    if (!track) return 'audio without a whole frame';
    if (codec === 'aac' && track.samplesPerPacket > AAC_FRAME_SAMPLES) {
      return 'AAC with several blocks in a frame';
    }
    this.audio.push(track);
    this.notices.push(...changeNotices(track));
    return undefined;
  }

  #readPes({ offsets }: PresentStream, isVideo: boolean) {
    const unwrap = this.#unwrap;
    const options = { unwrap, keepsDamaged: isVideo, keepsHead: !isVideo };
    const pes = readPes(this.#index, offsets, options);
    this.lostPackets += pes.lostPackets;
    return pes;
  }
}

/** Video first: the times of all streams are unwrapped near its first. */
const inReadingOrder = (streams: readonly PresentStream[]): PresentStream[] =>
  streams.toSorted((a, b) => Number(b.kind.kind === 'video') - Number(a.kind.kind === 'video'));

function changeNotices({ trackId, changes, ...first }: DemuxedAudio): Notice[] {
  if (!changes) return [];
  const formats = [...new Set([first, ...changes].map(describeFormat))].slice(0, MAX_NAMED_FORMATS);
  const message = `The audio of stream ${trackId} changes inside the segment: ${formats.join('; ')}.`;
  return [{ code: 'format_changed', message }];
}

const describeFormat = ({ codecString, sampleRateHz, channels }: AudioFormat): string =>
  `${codecString} at ${sampleRateHz} Hz with ${channels} ${channels === 1 ? 'channel' : 'channels'}`;

function damageNotices({ strayBytes }: PacketIndex, lostPackets: number): Notice[] {
  const faults = [
    ...(lostPackets > 0 ? [`packets missing or damaged: ${lostPackets}`] : []),
    ...(strayBytes > 0 ? [`bytes that belong to no packet: ${strayBytes}`] : []),
  ];
  if (faults.length === 0) return [];
  const message = `The transport stream is damaged (${faults.join(', ')}); what can be decoded is kept.`;
  return [{ code: 'damaged', message }];
}

const encrypted = (): DomainError =>
  new DomainError(
    'unsupported_media',
    'The transport stream is scrambled.',
    'Send segments that are not encrypted; HTTPS protects them on their way.',
  );

function unsupported(leftOut: readonly LeftOut[]): DomainError {
  const names = [...new Set(leftOut.map(({ what }) => what))];
  const { video, audio } = MEDIA_FORMATS.ts;
  const opus = names.includes('Opus')
    ? ' Opus is taken in fragmented MP4 (ffmpeg: -hls_segment_type fmp4).'
    : '';
  return new DomainError(
    'unsupported_media',
    `Nothing in the transport stream can be decoded: ${names.join(', ')}.`,
    `Encode video as ${listCodecs(video)}, and audio as ${listCodecs(audio)}.${opus}`,
  );
}
