import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeriodEntry } from '../../lib/domain/period.ts';
import { EMPTY_TIMELINE, type TimelineState } from '../../lib/domain/timeline.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { liveManifest, periodBuilder } from '../../lib/pipeline/view/manifest.ts';
import { entry, START_MS, video } from '../playlist/mpd-of-entries.ts';

const HINT = /(timeShiftBufferDepth|suggestedPresentationDelay)="([\w.]+)"/g;
const gap = (second: number): PeriodEntry => ({ ...entry(1, second, []), renditions: {} });
const segment = (second: number): PeriodEntry => entry(1, second, ['360p']);

/** What a live MPD of these entries, of two seconds each, says of its window. */
function windowOf(entries: readonly PeriodEntry[], change: Partial<TimelineState>) {
  const state: TimelineState = {
    ...{ ...EMPTY_TIMELINE, renditions: { '360p': video(360, 25) }, startedAtMs: START_MS },
    ...{ targetDurationSeconds: 2, dvrWindowTicks: 12 * 90_000, ...change },
  };
  const stream = newStream('show', START_MS);
  const builder = periodBuilder(stream, state);
  for (const one of entries) builder.add(one);
  const how = { showsEnd: false, location: 'show.mpd', languages: {} };
  const text = liveManifest(stream, state, builder.periods, [], how);
  return Object.fromEntries([...text.matchAll(HINT)].map(([, name, value]) => [name, value]));
}

test('a window that is not full yet is as deep as it will be', () => {
  const said = { timeShiftBufferDepth: 'PT12S', suggestedPresentationDelay: 'PT6S' };
  assert.deepEqual(windowOf([segment(0)], {}), said);
  // The start of the presentation is rounded to milliseconds; that of its first entry is not.
  const first = { ...segment(0), programDateTimeMs: START_MS + 0.4 };
  assert.deepEqual(windowOf([first], {}), said);
});

test('a window that slides is as deep as it was set, also when whole segments fill it less', () => {
  const seconds = [4, 6, 8, 10, 12];
  const said = { timeShiftBufferDepth: 'PT11.5S', suggestedPresentationDelay: 'PT6S' };
  assert.deepEqual(windowOf(seconds.map(segment), { dvrWindowTicks: 11.5 * 90_000 }), said);
});

test('a window that begins with gaps is as deep as what it lists behind them', () => {
  const said = { timeShiftBufferDepth: 'PT8S', suggestedPresentationDelay: 'PT6S' };
  assert.deepEqual(windowOf([gap(4), gap(6), ...[8, 10, 12, 14].map(segment)], {}), said);
});

test('of a window with less than players hold back they are told to hold back that', () => {
  const said = { timeShiftBufferDepth: 'PT4S', suggestedPresentationDelay: 'PT4S' };
  assert.deepEqual(windowOf([gap(4), gap(6), gap(8), gap(10), segment(12), segment(14)], {}), said);
  const one = { timeShiftBufferDepth: 'PT2S', suggestedPresentationDelay: 'PT2S' };
  assert.deepEqual(windowOf([gap(4), entry(1, 6, ['360p'], { durationTicks: 90_000 })], {}), one);
});

test('a window that was made wider is as deep as what is listed again', () => {
  const change = { dvrWindowTicks: 60 * 90_000, firstListedSequence: 3 };
  const said = { timeShiftBufferDepth: 'PT8S', suggestedPresentationDelay: 'PT6S' };
  assert.deepEqual(windowOf([6, 8, 10, 12].map(segment), change), said);
  const all = { timeShiftBufferDepth: 'PT8S', suggestedPresentationDelay: 'PT6S' };
  const { dvrWindowTicks: _, ...unlimited } = change;
  const growing = { ...unlimited, dvrWindowTicks: null } as Partial<TimelineState>;
  assert.deepEqual(windowOf([6, 8, 10, 12].map(segment), growing), all);
});
