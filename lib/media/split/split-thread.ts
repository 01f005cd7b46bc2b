/**
 * Module of the thread that reads a whole file: foreign bytes, which a demuxer may believe too much of. It
 * asks for the file's bytes, and gives one segment after the other, with what its upload needs to know.
 */

import { parentPort } from 'node:worker_threads';
import type { Input } from 'mediabunny';
import { DomainError } from '../../domain/errors.ts';
import type { Notice } from '../../domain/notice.ts';
import { type ParsedCaptions, parseCaptions } from '../captions/parse-captions.ts';
import { type Inspection, inspectSegment } from '../inspect.ts';
import { type FileTracks, type OpenedTracks, openTracks } from './file-tracks.ts';
import {
  encrypted,
  type FileFormat,
  fileFormat,
  isEdited,
  isEncryptedMatroska,
  readMoov,
  refuseEncrypted,
  type SourceFile,
} from './source-file.ts';
import {
  type Damage,
  KeyframesTooFarApart,
  openInput,
  openStream,
  type SplitOptions,
  splitFile,
} from './splitter.ts';
import { trackLanguages } from './track-languages.ts';
import { passedOver } from './transport-sound.ts';

/** What has to be encoded before the file can be cut. */
export type Foreign = Readonly<{ video: boolean; audio: boolean }>;

export type OpenedFile = Readonly<{
  format: FileFormat;
  foreign: Foreign;
  hasVideo: boolean;
  audioTracks: number;
  /** Of tracks that are left out. */
  notices: readonly Notice[];
  durationSeconds?: number;
}>;

export type InspectedSegment = Readonly<{
  bytes: Uint8Array;
  inspection?: Inspection;
  /** Why it cannot be taken. */
  refusal?: Readonly<{ code: DomainError['code']; message: string; hint: string }>;
  startSeconds: number;
  endSeconds: number;
  /** Why the file could not be read further. */
  damage?: string;
}>;

export type Question =
  | Readonly<{ type: 'open'; sizeBytes: number }>
  /** Reads what ffmpeg makes of the file, instead of the file. */
  | Readonly<{ type: 'openStream'; stream: number }>
  | Readonly<{ type: 'next'; options?: Omit<SplitOptions, 'damage'> }>
  /** WebVTT of the file's subtitles. */
  | Readonly<{ type: 'parseCaptions'; bytes: Uint8Array }>;

export type Answer =
  | Readonly<{ type: 'opened'; file: OpenedFile }>
  | Readonly<{ type: 'segment'; segment: InspectedSegment }>
  | Readonly<{ type: 'end'; damage?: string }>
  | Readonly<{ type: 'keyframes' }>
  | Readonly<{ type: 'captions'; captions: ParsedCaptions }>
  | Readonly<{ type: 'refused'; code: DomainError['code']; message: string; hint: string }>
  | Readonly<{ type: 'fault'; message: string }>;

/** What the thread asks of the other side meanwhile; of a stream the bytes that come next. */
export type Request =
  | Readonly<{ type: 'read'; id: number; start: number; end: number }>
  | Readonly<{ type: 'pull'; id: number; stream: number }>;

/** `bytes` undefined: the end of the stream. */
export type Reply = Readonly<{ type: 'bytes'; id: number; bytes?: Uint8Array; error?: string }>;

const TRANSPORT_HEAD_BYTES = 2 * 1024 * 1024;

const port = parentPort;
if (!port) throw new Error('Files are read in a worker thread.');

type Waiting = Readonly<{
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: Error): void;
}>;
const waiting = new Map<number, Waiting>();
let lastId = 0;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

function ask(request: WithoutId<Request>): Promise<Uint8Array | undefined> {
  lastId += 1;
  const id = lastId;
  const answered = new Promise<Uint8Array | undefined>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
  });
  port?.postMessage({ ...request, id });
  return answered;
}

let input: Input | undefined;
let tracks: FileTracks | undefined;
const damage: Damage = {};
let segments: ReturnType<typeof splitFile> | undefined;

async function answer(question: Question): Promise<Answer> {
  if (question.type === 'open') {
    const { sizeBytes } = question;
    const read = async (start: number, end: number) =>
      (await ask({ type: 'read', start, end })) ?? new Uint8Array();
    return { type: 'opened', file: await openFile({ sizeBytes, read }) };
  }
  if (question.type === 'openStream') {
    // One that another has taken the place of may still be reading ahead.
    const { stream: number } = question;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const bytes = await ask({ type: 'pull', stream: number });
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      },
    });
    input = openStream(stream);
    const opened = await openTracks(input);
    ({ tracks } = opened);
    segments = undefined;
    return {
      type: 'opened',
      file: {
        ...{ format: 'mov', foreign: opened.foreign, audioTracks: opened.audioTracks, notices: [] },
        hasVideo: tracks.video !== undefined,
      },
    };
  }
  if (question.type === 'parseCaptions') {
    return { type: 'captions', captions: parseCaptions(question.bytes) };
  }
  return nextSegment(question.options);
}

async function openFile(file: SourceFile): Promise<OpenedFile> {
  const format = await fileFormat(file);
  if (format === 'avi') {
    const foreign = { video: true, audio: true };
    return { format, foreign, hasVideo: true, audioTracks: 1, notices: [] };
  }
  const moov = format === 'mov' ? await readMoov(file) : undefined;
  if (moov) refuseEncrypted(moov);
  input = openInput(file);
  const languages = await trackLanguages(file, format, moov);
  const opened = await openTracks(input, languages).catch((error) => {
    throw unreadable(format, error as Error);
  });
  ({ tracks } = opened);
  const { audioTracks } = opened;
  const { foreign, notices } =
    format === 'mpegts'
      ? await transportForeign(file, opened)
      : { foreign: opened.foreign, notices: [] };
  if (!tracks.video && tracks.audio.length === 0 && !foreign.video && !foreign.audio) {
    if (format === 'mov' && !moov) throw unreadable(format, new Error('no moov'));
    if (format === 'matroska' && (await isEncryptedMatroska(file))) throw encrypted();
    throw new DomainError(
      'undecodable',
      'The file has neither video nor sound.',
      'Play it to see whether it is damaged.',
    );
  }
  const durationSeconds = (await input.getDurationFromMetadata()) ?? undefined;
  return {
    ...{ format, audioTracks, notices, hasVideo: tracks.video !== undefined || foreign.video },
    foreign: moov && isEdited(moov) ? { video: true, audio: true } : foreign,
    ...(durationSeconds !== undefined && { durationSeconds }),
  };
}

/** Its demuxer passes over codecs that it does not know, as MPEG-2 and DTS: ffmpeg knows most. */
async function transportForeign(
  file: SourceFile,
  { tracks, foreign }: OpenedTracks,
): Promise<Readonly<{ foreign: Foreign; notices: readonly Notice[] }>> {
  if (!tracks.video) return { foreign: { video: true, audio: true }, notices: [] };
  const head = await file.read(0, Math.min(file.sizeBytes, TRANSPORT_HEAD_BYTES));
  const { isDecodable, notices } = passedOver(head);
  return { foreign: { video: foreign.video, audio: foreign.audio || isDecodable }, notices };
}

function unreadable(format: FileFormat, error: Error): DomainError {
  if (error instanceof DomainError) return error;
  if (/encrypt/i.test(error.message)) return encrypted();
  const isHeaderless = format === 'mov';
  return new DomainError(
    isHeaderless ? 'truncated_segment' : 'undecodable',
    isHeaderless
      ? 'The file has no readable index (moov): it was not finished, or is damaged.'
      : `The file cannot be read: ${error.message}`,
    'Play it to see whether it is whole; export or record it again.',
  );
}

async function nextSegment(options?: Omit<SplitOptions, 'damage'>): Promise<Answer> {
  if (!tracks) throw new Error('No file is open.');
  if (options) segments = splitFile(tracks, { ...options, damage });
  const found = await segments?.next().catch((error) => {
    if (error instanceof KeyframesTooFarApart) return 'keyframes' as const;
    throw error;
  });
  if (found === 'keyframes') return { type: 'keyframes' };
  const broken = damage.message !== undefined && { damage: damage.message };
  if (!found || found.done) return { type: 'end', ...broken };
  const { bytes, startSeconds, endSeconds } = found.value;
  const segment = { bytes, startSeconds, endSeconds, ...broken };
  try {
    return { type: 'segment', segment: { ...segment, inspection: await inspectSegment(bytes) } };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { code, message, hint } = error;
    return { type: 'segment', segment: { ...segment, refusal: { code, message, hint } } };
  }
}

port.on('message', async (message: Question | Reply) => {
  if (message.type === 'bytes') {
    const { id, bytes, error } = message;
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(bytes);
    else asked?.reject(new Error(error));
    return;
  }
  const given = await answer(message).catch((error): Answer => {
    if (!(error instanceof DomainError)) return { type: 'fault', message: String(error?.stack) };
    const { code, message: text, hint } = error;
    return { type: 'refused', code, message: text, hint };
  });
  port.postMessage(given);
});
