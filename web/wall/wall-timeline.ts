/** The time slider of a wall: when which stream has media, by the wall clock. Pure. */

import type { ClockedSegment } from '../watch/wall-clock.ts';

/** Unix time in milliseconds. */
export type Span = Readonly<{ fromMs: number; toMs: number }>;

/** Segments of one run meet to the millisecond; clocks of encoders may be off by more. */
const JOIN_MS = 500;

/** Sorted; what overlaps, or nearly meets, is one. */
function joined(spans: readonly Span[]): readonly Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (last && span.fromMs - last.toMs <= JOIN_MS) {
      all[all.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
    } else all.push(span);
  }
  return all;
}

/** When a stream has media: a span for each run of its encoder, and between gaps. */
export const spansOf = (
  segments: readonly (ClockedSegment & Readonly<{ gap?: boolean | undefined }>)[],
): readonly Span[] =>
  joined(
    segments.flatMap(({ programDateTime: fromMs, duration, gap }) =>
      fromMs === null || gap ? [] : [{ fromMs, toMs: fromMs + duration * 1000 }],
    ),
  );

/** When any of the streams has media. The slider leaves out what lies between. */
export const coverageOf = (streams: readonly (readonly Span[])[]): readonly Span[] =>
  joined(streams.flat());

export const isCovered = (spans: readonly Span[], instantMs: number): boolean =>
  spans.some(({ fromMs, toMs }) => instantMs >= fromMs && instantMs < toMs);

/** Where the slider ends. */
export const lengthMs = (coverage: readonly Span[]): number =>
  coverage.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);

/** The instant under a place of the slider; undefined where nothing is covered. */
export function instantAtOffset(coverage: readonly Span[], offsetMs: number): number | undefined {
  let left = Math.max(0, offsetMs);
  for (const { fromMs, toMs } of coverage) {
    if (left < toMs - fromMs) return fromMs + left;
    left -= toMs - fromMs;
  }
  return coverage.at(-1)?.toMs;
}

/** The place of an instant on the slider; of one between two spans where the later begins. */
export function offsetOfInstant(coverage: readonly Span[], instantMs: number): number {
  let offset = 0;
  for (const { fromMs, toMs } of coverage) {
    if (instantMs < toMs) return offset + Math.max(0, instantMs - fromMs);
    offset += toMs - fromMs;
  }
  return offset;
}

/** From when on there is media again; undefined: it is covered, or nothing comes after it. */
export const nextCovered = (coverage: readonly Span[], instantMs: number): number | undefined =>
  isCovered(coverage, instantMs)
    ? undefined
    : coverage.find(({ fromMs }) => fromMs > instantMs)?.fromMs;
