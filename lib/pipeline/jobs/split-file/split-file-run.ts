/**
 * Cuts a whole file into segments, and uploads each as an encoder would. A step cuts some of them and queues
 * the next step behind their jobs: so the file is never queued as a whole, and no worker waits for others.
 * Doing a step twice changes nothing: the same places give the same bytes.
 */

import { setTimeout } from 'node:timers/promises';
import { defined } from '../../../base/defined.ts';
import { DomainError } from '../../../domain/errors.ts';
import { FILE_SEGMENT_SECONDS } from '../../../domain/file-cut.ts';
import { limitNotices, type Notice } from '../../../domain/notice.ts';
import { uploadedFileKey } from '../../../domain/object-keys.ts';
import { MAX_AUDIO_TRACKS } from '../../../domain/segment-work.ts';
import type { Stream } from '../../../domain/stream.ts';
import {
  type CutPosition,
  MAX_SEGMENTS_AHEAD,
  runsOfFile,
  segmentsOfStep,
  sessionOfFile,
  type UploadedFile,
} from '../../../domain/uploaded-file.ts';
import { encodeFile, TooFewKeyframes } from '../../../media/split/encoded-file.ts';
import { FileSplitter } from '../../../media/split/file-splitter.ts';
import { readChapters, readSubtitles } from '../../../media/split/file-texts.ts';
import type { FileFormat, SourceFile } from '../../../media/split/source-file.ts';
import type { Foreign, InspectedSegment, OpenedFile } from '../../../media/split/split-thread.ts';
import type { WorkerDeps } from '../../deps.ts';
import { uploadSegment } from '../../ingest/upload.ts';
import { changeUploadedFile, findUploadedFile } from '../../records/uploaded-file-records.ts';
import { requestScaling } from '../../upkeep/scaling.ts';
import { enqueueJobs } from '../enqueue.ts';
import type { JobContext, JobResult } from '../job-kind.ts';
import { endOfFileRun, startOfFileRun } from './file-clock.ts';
import { keepSubtitles, markChapters } from './file-texts.ts';
import { type SplitFileJob, splitFile } from './split-file.ts';
import { endOfFile } from './split-file-end.ts';

/** Until the workers have caught up. */
const WAIT_MS = 5_000;
/** A step that encodes keeps its worker: it waits for the others, but not for ever. */
const MAX_ENCODED_AHEAD = 64;
/** What a header may promise too much: its sound is a little longer than the picture, its times start late. */
const MAX_MISSING_SECONDS = 2;
const POLL_MS = 500;
const MAX_POLLS = 20;

/** Throws when another try may help; a file that can never be read is recorded as failed. */
export async function runSplitFile(
  deps: WorkerDeps,
  job: SplitFileJob,
  context: JobContext,
): Promise<JobResult> {
  const stream = (await deps.records.findStream(job.videoId))?.value;
  if (stream?.uid !== job.uid) return 'obsolete';
  const file = (await findUploadedFile(deps, stream))?.value;
  if (file?.fileId !== job.fileId || file.state === 'done' || file.state === 'failed') {
    return 'obsolete';
  }
  const step = new SplitStep(deps, stream, file, context);
  try {
    return await step.run();
  } catch (error) {
    if (!(error instanceof DomainError) || error.isPassing) throw error;
    await step.fail(error);
    return 'failed';
  } finally {
    await step.close();
  }
}

class SplitStep {
  readonly #deps: WorkerDeps;
  readonly #stream: Stream;
  readonly #context: JobContext;
  readonly #splitter: FileSplitter;
  readonly #key: string;
  readonly #source: SourceFile;
  #file: UploadedFile;
  #format: FileFormat | undefined;
  #foreign: Foreign = { video: false, audio: false };
  #refusal: InspectedSegment['refusal'];

  constructor(deps: WorkerDeps, stream: Stream, file: UploadedFile, context: JobContext) {
    this.#deps = deps;
    this.#stream = stream;
    this.#file = file;
    this.#context = context;
    this.#key = uploadedFileKey(stream, file.fileId);
    const read = (start: number, end: number) => this.#read(start, end);
    this.#source = { sizeBytes: file.sizeBytes, read };
    this.#splitter = new FileSplitter(this.#source);
  }

  close(): Promise<void> {
    return this.#splitter.close();
  }

  async run(): Promise<JobResult> {
    const { steps = 0 } = this.#file.cut ?? {};
    if ((await this.#segmentsAhead()) > MAX_SEGMENTS_AHEAD) return this.#goOn(WAIT_MS);
    const opened = await this.#splitter.open();
    this.#format = opened.format;
    this.#foreign = opened.foreign;
    const isBegun = this.#file.cut !== undefined;
    if (!isBegun) await this.#begin(opened);
    const { video, audio } = opened.foreign;
    const encoding = { video: video || this.#file.cut?.encodesFromSeconds !== undefined, audio };
    if (encoding.video || encoding.audio) return this.#encode(opened, encoding, isBegun);
    const { nextNumber = 0 } = this.#file.cut ?? {};
    // Also of a step that is done again, so that it cuts at the same places.
    const first = Math.max(0, segmentsOfStep(0) - nextNumber);
    const segments = first || segmentsOfStep(steps);
    const targetSeconds = this.#targetSeconds(first ? 'first' : 'later');
    for (let count = 0; count < segments; count += 1) {
      this.#context.signal.throwIfAborted();
      const next = await this.#splitter.next(count === 0 ? this.#from(targetSeconds) : undefined);
      if (next === 'keyframes') return this.#encodeFromHere(opened);
      if (!('bytes' in next)) return this.#end(next.damage);
      await this.#take(next);
    }
    await this.#advance({ steps: steps + 1 });
    return this.#goOn();
  }

  /** What came of the file stays. */
  async fail({ code, message, hint }: DomainError): Promise<void> {
    await this.#change({ state: 'failed', failure: { code, message, hint } });
    await endOfFile(this.#deps, this.#stream, this.#file);
    await this.#deps.media.delete([this.#key]);
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    const bytes = await this.#deps.media.get(this.#key, { start, endInclusive: end - 1 });
    if (bytes?.byteLength === end - start) return bytes;
    throw new Error(`The object of the file ends before ${end}, or is not there: ${this.#key}`);
  }

  #from(targetSeconds: number) {
    const { fromSeconds } = this.#file.cut ?? {};
    return { targetSeconds, ...defined({ fromSeconds }) };
  }

  #targetSeconds(kind: keyof typeof FILE_SEGMENT_SECONDS): number {
    const { [kind]: seconds } = FILE_SEGMENT_SECONDS;
    const { targetDurationSeconds = seconds } = this.#stream.settings;
    return kind === 'first' ? Math.min(seconds, targetDurationSeconds) : targetDurationSeconds;
  }

  async #encodeFromHere(opened: OpenedFile): Promise<JobResult> {
    await this.#beginRun();
    return this.#encode(opened, { ...opened.foreign, video: true });
  }

  /** What was cut before stays; what is encoded from here on is a run of its own. */
  async #beginRun(): Promise<void> {
    const { nextNumber = 0, fromSeconds: notedSeconds = 0 } = this.#file.cut ?? {};
    const runs = runsOfFile(this.#file);
    const run = runs.at(-1);
    const newest = run && (await endOfFileRun(this.#deps, this.#stream, run));
    const fromSeconds = newest && newest.number >= nextNumber ? newest.seconds : notedSeconds;
    const next = { session: `${sessionOfFile(this.#file)}-${runs.length + 1}`, earlierRuns: runs };
    const place = { nextNumber: 0, fromSeconds, encodesFromSeconds: fromSeconds };
    await this.#advance({ ...(newest && next), ...place });
  }

  /**
   * In one go: sound is encoded without seams. A step that is repeated goes on in another run; where the
   * picture is only copied, which is fast, it passes over what is there.
   */
  async #encode(opened: OpenedFile, encoding: Foreign, isRepeated = false): Promise<JobResult> {
    const { format, foreign } = opened;
    if (encoding.video && isRepeated) await this.#beginRun();
    const { nextNumber = 0, encodesFromSeconds: fromSeconds = 0 } = this.#file.cut ?? {};
    const { threads, signal } = this.#context;
    const targetSeconds = this.#targetSeconds('encoded');
    const segments = encodeFile(this.#splitter, {
      ...{ file: this.#source, format, encoding, fromSeconds, targetSeconds, signal },
      clock: clockOf(foreign),
      ...(threads !== undefined && { threads }),
      maxAudioTracks: MAX_AUDIO_TRACKS,
    });
    try {
      for (let number = 0; ; ) {
        const next = await segments.next().catch((error) => {
          if (error instanceof TooFewKeyframes && !encoding.video) return 'keyframes' as const;
          throw error;
        });
        if (next === 'keyframes') return this.#encodeFromHere(opened);
        if (next.done) return this.#end(next.value);
        const { inspection } = next.value;
        if (number >= nextNumber) {
          await this.#waitForWorkers();
          const startSeconds = next.value.startSeconds + fromSeconds;
          const endSeconds = next.value.endSeconds + fromSeconds;
          await this.#take({ ...next.value, startSeconds, endSeconds });
        }
        if (inspection) number += 1;
      }
    } finally {
      // Its ffmpeg ends, whatever failed meanwhile.
      await segments.return(undefined);
    }
  }

  async #waitForWorkers(): Promise<void> {
    const { signal } = this.#context;
    for (let polls = 0; polls < MAX_POLLS; polls += 1) {
      if ((await this.#segmentsAhead()) <= MAX_ENCODED_AHEAD) return;
      await setTimeout(POLL_MS, undefined, { signal });
    }
  }

  async #begin({ durationSeconds, audioTracks, notices: leftOut }: OpenedFile): Promise<void> {
    const message = `Of ${audioTracks} audio tracks the first ${MAX_AUDIO_TRACKS} are taken.`;
    const isTooMany = audioTracks > MAX_AUDIO_TRACKS;
    const tooMany: readonly Notice[] = isTooMany ? [{ code: 'track_ignored', message }] : [];
    const notices = limitNotices([...tooMany, ...leftOut]);
    await this.#change({
      state: 'processing',
      storedBytes: this.#file.sizeBytes,
      cut: { session: sessionOfFile(this.#file), nextNumber: 0, steps: 0, seconds: 0 },
      ...(durationSeconds !== undefined && { durationSeconds }),
      ...(notices.length > 0 && { notices }),
    });
  }

  async #take(segment: InspectedSegment): Promise<void> {
    const { bytes, inspection, refusal, startSeconds, endSeconds } = segment;
    const { cut } = this.#file;
    if (!cut) throw new Error('The file has no place to be cut at.');
    const place = { fromSeconds: endSeconds, seconds: Math.max(cut.seconds, endSeconds) };
    if (!inspection) {
      this.#refusal ??= refusal;
      const message = `From ${startSeconds.toFixed(3)} s to ${endSeconds.toFixed(3)} s: ${refusal?.message}`;
      await this.#note({ code: 'damaged', message });
      await this.#advance(place);
      return;
    }
    const { nextNumber: number, session } = cut;
    const deps = { ...this.#deps, inspection: { run: async () => inspection as never } };
    const stream = (await this.#deps.records.findStream(this.#stream.videoId)) ?? {
      value: this.#stream,
      version: 0,
    };
    const runStartMs = number === 0 ? await this.#runStartMs(segment) : undefined;
    await uploadSegment(deps, stream, {
      ...{ number, session, bytes, pushed: false, ofFile: true },
      ...defined({ runStartMs }),
    });
    await this.#advance({ ...place, nextNumber: number + 1 });
    if (number === 0 && !cut.earlierRuns) await this.#markChapters();
  }

  #runStartMs({ startSeconds, endSeconds }: InspectedSegment): Promise<number | undefined> {
    const follows = this.#file.cut?.earlierRuns?.at(-1)?.session;
    const lengthMs = 1000 * (endSeconds - startSeconds);
    return startOfFileRun(this.#deps, this.#stream, lengthMs, follows);
  }

  /** As soon as the stream has a clock. */
  async #markChapters(): Promise<void> {
    const run = await this.#deps.records.runOfSession(this.#stream, sessionOfFile(this.#file));
    if (!run || !this.#format) return;
    const { signal } = this.#context;
    const chapters = await readChapters({ file: this.#source, format: this.#format, signal });
    await markChapters(this.#deps, this.#stream, this.#file, run, chapters);
  }

  async #keepSubtitles(): Promise<void> {
    if (!this.#format) return;
    const { signal, workFolder } = this.#context;
    const options = { file: this.#source, format: this.#format, signal, workFolder };
    const tracks = await readSubtitles({ ...options, clock: clockOf(this.#foreign) });
    const kept = await keepSubtitles(this.#deps, this.#stream, this.#file, tracks, (webvtt) =>
      this.#splitter.parseCaptions(webvtt),
    );
    for (const notice of kept) await this.#note(notice);
  }

  async #end(damage: string | undefined): Promise<JobResult> {
    if (this.#file.cut?.nextNumber === 0 && !this.#file.cut.earlierRuns) {
      const { code, message, hint } = this.#refusal ?? {
        code: 'truncated_segment' as const,
        message: `Nothing of the file can be played${damage ? `: ${damage}` : ''}.`,
        hint: 'Play it to see whether it is whole; export or record it again.',
      };
      throw new DomainError(code, message, hint);
    }
    const { cut, durationSeconds = 0 } = this.#file;
    const seconds = cut?.seconds ?? 0;
    if (damage !== undefined || seconds < durationSeconds - MAX_MISSING_SECONDS) {
      const at = `at ${seconds.toFixed(1)} s${durationSeconds ? ` of ${durationSeconds.toFixed(1)} s` : ''}`;
      const message = `The file breaks off ${at}${damage ? ` (${damage})` : ''}. What came before is kept.`;
      await this.#note({ code: 'damaged', message });
    }
    await this.#keepSubtitles();
    await endOfFile(this.#deps, this.#stream, this.#file);
    await this.#change({ state: 'done' });
    // Its segments are sources of their own.
    await this.#deps.media.delete([this.#key]);
    return 'done';
  }

  async #goOn(delayMs?: number): Promise<JobResult> {
    const { videoId, uid } = this.#stream;
    const job = { videoId, uid, fileId: this.#file.fileId };
    await enqueueJobs(this.#deps, splitFile, [job], delayMs);
    await requestScaling(this.#deps);
    return 'done';
  }

  /** Of the file, cut and not published yet. */
  async #segmentsAhead(): Promise<number> {
    const { records } = this.#deps;
    const { cut } = this.#file;
    const run = cut && (await records.runOfSession(this.#stream, cut.session));
    if (!cut || !run) return 0;
    const { value: timeline } = await records.timeline(this.#stream);
    const published = timeline.run === run.run ? (timeline.nextNumber ?? 0) : 0;
    return timeline.run > run.run ? 0 : cut.nextNumber - published;
  }

  async #note(notice: Notice): Promise<void> {
    await this.#change({ notices: limitNotices([...(this.#file.notices ?? []), notice]) });
  }

  async #advance(change: Partial<CutPosition>): Promise<void> {
    const { cut } = this.#file;
    if (cut) await this.#change({ cut: { ...cut, ...change } });
  }

  /** Throws if another file has taken the place of this one. */
  async #change(change: Partial<UploadedFile>): Promise<void> {
    const touchedAtMs = this.#deps.clock.now();
    const { fileId } = this.#file;
    const session = this.#file.cut?.session;
    const changed = await changeUploadedFile(this.#deps, this.#stream, fileId, (file) => {
      if (file.cut?.session !== session) throw new Error(`Another worker cuts file ${fileId}.`);
      return { ...file, ...change, touchedAtMs };
    });
    if (!changed) throw new Error(`File ${fileId} is no longer that of the stream.`);
    this.#file = changed;
  }
}

/** ffmpeg counts what it encodes as a whole from the start of the file, as its times may begin anywhere. */
const clockOf = ({ video, audio }: Foreign): 'zero' | 'start' =>
  video || audio ? 'start' : 'zero';
