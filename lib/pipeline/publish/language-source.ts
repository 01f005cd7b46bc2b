/** A language that is uploaded on its own, as the publisher reads it: its runs, what workers made of them, and its frames. */

import { defined } from '../../base/defined.ts';
import { type LanguageTrack, withTrack } from '../../domain/languages/language-track.ts';
import { onWallClock, type TrackProgress } from '../../domain/languages/language-wait.ts';
import {
  piecesOf,
  type RenderedOutcome,
  type RenderedPiece,
  type SegmentOutcome,
} from '../../domain/segment.ts';
import type { Run, Stream } from '../../domain/stream.ts';
import { ticksToMs } from '../../domain/ticks.ts';
import type { EntryRendition } from '../../domain/timeline.ts';
import {
  type LanguagePiece,
  languagePiece,
  mergeRuns,
  type PlacedFrame,
} from '../../media/audio/language-piece.ts';
import { type RenditionFormat, renditionFormat } from '../../media/audio/rendition-format.ts';
import { parseCmaf } from '../../media/mux/cmaf.ts';
import type { Deps } from '../deps.ts';
import { endsWith } from '../ingest/end.ts';

/** Of an entry of the timeline; `zeroMs`: the wall clock of the timeline's time zero there. */
export type EntrySpan = Readonly<{ startTicks: number; durationTicks: number; zeroMs: number }>;

/** What workers made of one run, in a span. */
type RunPart = Readonly<{ run: Run; zeroMs: number; pieces: readonly RenderedPiece[] }>;

type Frames = Pick<PlacedFrame, 'samples' | 'bytes'> & Readonly<{ start: number }>;

/** Runs that began before a moment, of which frames may lie there: those that began last. */
const MAX_RUNS = 4;
const PAGE = 64;
/** Of a track's job. */
const RENDITION = 'audio';
/** More than a frame of any rate. */
const AROUND_MS = 150;

const zeroOf = ({ anchorMs, anchorTicks }: Run): number => anchorMs - ticksToMs(anchorTicks);

/** Reads each record and object once; so it serves one request of the publisher. */
export class LanguageSource {
  readonly track: LanguageTrack;
  readonly #deps: Pick<Deps, 'records' | 'media'>;
  readonly #stream: Stream;
  readonly #frames = new Map<string, Promise<readonly Frames[]>>();
  #runs: Promise<readonly Run[]> | undefined;

  constructor(deps: Pick<Deps, 'records' | 'media'>, stream: Stream, track: LanguageTrack) {
    this.#deps = deps;
    this.#stream = withTrack(stream, track.name);
    this.track = track;
  }

  /** undefined: nothing of it was uploaded. */
  async progress(
    span: Readonly<{ startMs: number; endMs: number }>,
  ): Promise<TrackProgress | undefined> {
    const { records } = this.#deps;
    const runs = await this.#allRuns();
    const newestRun = runs.at(-1);
    const newest = newestRun && (await records.newestSegment(this.#stream, newestRun.run));
    if (!newestRun || !newest) return undefined;
    const end = await records.endRequest(this.#stream);
    const { facts, timestampOffsetTicks, uploadedAtMs } = newest;
    const endTicks = facts.endTicks + timestampOffsetTicks;
    const parts = await this.#parts(span.startMs, span.endMs);
    return {
      startMs: Math.min(...runs.map(({ anchorMs }) => anchorMs)),
      covered: parts.flatMap(({ pieces, zeroMs }) =>
        pieces.map((piece) => onWallClock(piece, zeroMs)),
      ),
      newestEndMs: zeroOf(newestRun) + ticksToMs(endTicks),
      newestMs: ticksToMs(facts.endTicks - facts.startTicks),
      newestUploadedAtMs: uploadedAtMs,
      isEnded: end !== undefined && endsWith(end, newestRun, newest),
    };
  }

  /** undefined: nothing of it was uploaded. */
  async piece(entry: EntrySpan): Promise<LanguagePiece | undefined> {
    const format = await this.#format();
    if (!format) return undefined;
    const { startTicks, durationTicks, zeroMs } = entry;
    const { startMs, endMs } = onWallClock(entry, zeroMs);
    const parts = await this.#parts(startMs - AROUND_MS, endMs + AROUND_MS);
    const { sampleRateHz } = format;
    const placed = await Promise.all(
      parts.map(async (part) => {
        // A whole number: what is continuous in the run stays so.
        const shift = Math.round(((part.zeroMs - zeroMs) * sampleRateHz) / 1000);
        const frames = await Promise.all(part.pieces.map((piece) => this.#read(piece)));
        return frames.flat().map((frame) => ({ ...frame, start: frame.start + shift }));
      }),
    );
    const { language, describesVideo } = this.track;
    return languagePiece({
      info: { ...format, language, ...(describesVideo && { describesVideo }) },
      ...{ startTicks, endTicks: startTicks + durationTicks, frames: mergeRuns(placed) },
    });
  }

  /** Where a segment of the track lies on the wall clock; undefined if nothing can be heard of it. */
  async spanOf(
    run: number,
    number: number,
  ): Promise<Readonly<{ startMs: number; endMs: number }> | undefined> {
    const { records } = this.#deps;
    const [of, outcome] = await Promise.all([
      records.getRun(this.#stream, run),
      records.findOutcome(this.#stream, run, number),
    ]);
    if (!of || outcome?.type !== 'rendered') return undefined;
    // Frames do not end where their segment does.
    const spans = piecesOf(outcome).map(({ renditions, ...piece }) =>
      onWallClock({ ...piece, ...defined(timesOf(renditions[RENDITION])) }, zeroOf(of)),
    );
    return {
      startMs: Math.min(...spans.map(({ startMs }) => startMs)),
      endMs: Math.max(...spans.map(({ endMs }) => endMs)),
    };
  }

  #allRuns(): Promise<readonly Run[]> {
    this.#runs ??= this.#deps.records.runs(this.#stream);
    return this.#runs;
  }

  /** That of the track's first segment: all others are made alike. */
  async #format(): Promise<RenditionFormat | undefined> {
    const [first] = await this.#allRuns();
    return first && renditionFormat(first.audio[0]);
  }

  /** By run, the oldest first. */
  async #parts(fromMs: number, toMs: number): Promise<RunPart[]> {
    const begun = (await this.#allRuns())
      .filter(({ anchorMs }) => anchorMs <= toMs)
      .toSorted((a, b) => a.anchorMs - b.anchorMs)
      .slice(-MAX_RUNS)
      .sort((a, b) => a.run - b.run);
    return Promise.all(
      begun.map(async (run) => {
        const zeroMs = zeroOf(run);
        const overlaps = (piece: RenderedPiece): boolean => {
          const { startMs, endMs } = onWallClock(piece, zeroMs);
          return startMs < toMs && endMs > fromMs;
        };
        const pieces = (await this.#outcomes(run, zeroMs, fromMs, toMs)).flatMap(piecesOf);
        return { run, zeroMs, pieces: pieces.filter(overlaps) };
      }),
    );
  }

  /** Those of a run around a span. They are sorted by number and by time alike, so a search halves them. */
  async #outcomes(
    { run }: Run,
    zeroMs: number,
    fromMs: number,
    toMs: number,
  ): Promise<RenderedOutcome[]> {
    const { records } = this.#deps;
    const from = (number: number, limit: number): Promise<SegmentOutcome[]> =>
      records.outcomesFrom(this.#stream, run, number, limit);
    /** What failed lies nowhere: behind all. */
    const startMs = (outcome: SegmentOutcome | undefined): number =>
      outcome?.type === 'rendered'
        ? onWallClock(outcome, zeroMs).startMs
        : Number.POSITIVE_INFINITY;
    const newest = await records.highestNumbers(this.#stream, run, PAGE);
    let next = newest[0] ?? 0;
    const [first] = await from(next, 1);
    if (newest.length === PAGE && startMs(first) > fromMs) {
      const [lowest = 0] = await records.numbersFrom(this.#stream, run, 0, 1);
      let [low, high] = [lowest, next];
      while (high - low > PAGE) {
        const middle = (low + high) >>> 1;
        const [probed] = await from(middle, 1);
        if (startMs(probed) <= fromMs) low = middle;
        else high = middle;
      }
      next = low;
    }
    const found: RenderedOutcome[] = [];
    for (;;) {
      const page = await from(next, PAGE);
      const rendered = page.filter((outcome) => outcome.type === 'rendered');
      found.push(...rendered);
      if (page.length < PAGE || rendered.some((one) => startMs(one) >= toMs)) return found;
      next = (page.at(-1)?.number ?? next) + 1;
    }
  }

  #read({ renditions }: RenderedPiece): Promise<readonly Frames[]> {
    const key = renditions[RENDITION]?.key;
    if (key === undefined) return Promise.resolve([]);
    const known = this.#frames.get(key);
    if (known) return known;
    const read = this.#deps.media.get(key).then((bytes) => (bytes ? framesOf(bytes) : []));
    this.#frames.set(key, read);
    return read;
  }
}

const timesOf = ({ startTicks, durationTicks }: Partial<EntryRendition> = {}) => ({
  startTicks,
  durationTicks,
});

function framesOf(bytes: Uint8Array): Frames[] {
  const { samples, endTicks } = parseCmaf(bytes);
  return samples.map((sample, index) => ({
    bytes: sample.bytes,
    start: sample.ptsTicks,
    samples: (samples[index + 1]?.ptsTicks ?? endTicks) - sample.ptsTicks,
  }));
}
