/**
 * Rules for an MPD that the schema cannot say: of DASH-IF's interoperability guidelines (IOP, part 5), and of
 * ISO/IEC 23009-1 in words.
 */

import assert from 'node:assert/strict';
import type { ReadMpd, ReadPeriod, ReadSegment } from './mpd-judge.ts';

/** Audio is up to two AAC frames early against the cut, at 8 kHz and more; times are rounded. */
const LEAD_TICKS = (2 * 1024 * 90_000) / 8000 + 1;

/** A clock that was set back goes on where the period before ended, to the millisecond; and times are rounded. */
const ROUNDING_SECONDS = 0.003;

const TICKS_PER_SECOND = 90_000;

export const seconds = (duration = ''): number => Number(duration.replace(/^PT|S$/g, ''));

const representationsOf = ({ sets }: ReadPeriod) =>
  sets.flatMap(({ representations }) => representations);

const endOf = ({ startTicks, durationTicks }: ReadSegment): number => startTicks + durationTicks;

/** Throws at what is against a rule in this one MPD. */
export function requireRules(mpd: ReadMpd): void {
  requireContinuousPeriods(mpd);
  if (mpd.attributes.type === 'dynamic') requireLiveTimes(mpd);
  for (const period of mpd.periods) {
    requireSegmentsInside(period);
    for (const set of period.sets) requireAlignment(set);
  }
  requireLastingSets(mpd);
}

/** Periods follow each other and do not overlap; those of what has ended say how long they are, and meet (5.3.2.1). */
function requireContinuousPeriods({ attributes, periods }: ReadMpd): void {
  const isStatic = attributes.type === 'static';
  for (const [index, period] of periods.entries()) {
    const { id, startSeconds, durationSeconds } = period;
    const lastTicks = Math.max(
      period.offsetTicks,
      ...representationsOf(period).flatMap(({ segments }) => segments.map(endOf)),
    );
    const mediaSeconds = (lastTicks - LEAD_TICKS - period.offsetTicks) / TICKS_PER_SECOND;
    const endSeconds = startSeconds + (durationSeconds ?? mediaSeconds);
    const next =
      periods[index + 1]?.startSeconds ??
      (isStatic ? seconds(attributes.mediaPresentationDuration) : Number.POSITIVE_INFINITY);
    assert.ok(endSeconds <= next + ROUNDING_SECONDS, `period ${id} ends before the next begins`);
    if (durationSeconds === undefined) continue;
    assert.ok(Math.abs(endSeconds - next) <= ROUNDING_SECONDS, `period ${id} meets the next`);
    assert.ok(mediaSeconds <= durationSeconds, `period ${id} is as long as its media`);
  }
}

/** A player that starts where it is told to finds segments there, and knows the time (DASH-IF IOP, 4.4). */
function requireLiveTimes({ attributes, periods, clocks }: ReadMpd): void {
  const delay = seconds(attributes.suggestedPresentationDelay);
  const { timeShiftBufferDepth: said } = attributes;
  const depth = said === undefined ? Number.POSITIVE_INFINITY : seconds(said);
  assert.ok(seconds(attributes.minBufferTime) <= delay, 'MPD@minBufferTime');
  assert.ok(delay <= depth, 'MPD@suggestedPresentationDelay is within the time shift buffer');
  assert.ok(seconds(attributes.minimumUpdatePeriod) > 0, 'MPD@minimumUpdatePeriod');
  assert.deepEqual(clocks, ['urn:mpeg:dash:utc:http-iso:2014 /time']);
  const [first] = periods;
  assert.ok(first && first.startSeconds >= 0);
  // What is said to be there is listed, but for less than a segment. Its media may be ahead of the clock.
  const startMs = Date.parse(attributes.availabilityStartTime ?? '');
  const publishedSeconds = (Date.parse(attributes.publishTime ?? '') - startMs) / 1000;
  const segments = periods.flatMap((period) =>
    representationsOf(period).flatMap((one) =>
      one.segments.map((segment) => ({
        from: period.startSeconds + (segment.startTicks - period.offsetTicks) / TICKS_PER_SECOND,
        to: period.startSeconds + (endOf(segment) - period.offsetTicks) / TICKS_PER_SECOND,
      })),
    ),
  );
  const nowSeconds = Math.max(publishedSeconds, ...segments.map(({ to }) => to));
  const mostSeconds = seconds(attributes.maxSegmentDuration);
  const listedSeconds = Math.min(...segments.map(({ from }) => from));
  assert.ok(
    listedSeconds <= Math.max(0, nowSeconds - depth) + mostSeconds,
    'the time shift buffer is listed',
  );
}

/** The first begins no earlier than its period but for audio, and each one in it (5.3.2.1, 5.3.9.6). */
function requireSegmentsInside(period: ReadPeriod): void {
  const { id, offsetTicks, durationSeconds = Number.POSITIVE_INFINITY } = period;
  for (const { attributes, representations } of period.sets) {
    const leadTicks = attributes.contentType === 'audio' ? LEAD_TICKS : 0;
    for (const { id: name, segments } of representations) {
      for (const segment of segments) {
        const what = `${name} at ${segment.startTicks} is in period ${id}`;
        assert.ok(segment.startTicks >= offsetTicks - leadTicks, what);
        const limit = offsetTicks + durationSeconds * TICKS_PER_SECOND + LEAD_TICKS;
        assert.ok(endOf(segment) <= limit, what);
      }
    }
  }
}

/** AdaptationSet@segmentAlignment: segments of two Representations are the same span, or do not overlap (5.3.3.2). */
function requireAlignment({ attributes, representations }: ReadPeriod['sets'][number]): void {
  if (attributes.segmentAlignment !== 'true') {
    // Of images: each way to divide has its own, and no moment has two.
    assert.equal(attributes.contentType, 'image', 'AdaptationSet@segmentAlignment');
  }
  const segments = representations
    .flatMap((one) => one.segments)
    .toSorted((a, b) => a.startTicks - b.startTicks || a.durationTicks - b.durationTicks);
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1];
    if (!before) continue;
    const isSame =
      attributes.contentType !== 'image' &&
      before.startTicks === segment.startTicks &&
      before.durationTicks === segment.durationTicks;
    assert.ok(isSame || endOf(before) <= segment.startTicks, 'segments are aligned');
  }
}

/** A set is the same content in every period that has it (DASH-IF IOP, 3.2.8.2); a group has one main at most. */
function requireLastingSets({ periods }: ReadMpd): void {
  const known = new Map<string, string>();
  for (const { sets } of periods) {
    for (const { attributes, representations } of sets) {
      const { id = '', contentType, mimeType, lang } = attributes;
      const content = [contentType, mimeType, lang].join(' ');
      assert.equal(known.get(id) ?? content, content, `AdaptationSet ${id} is the same content`);
      known.set(id, content);
      for (const { id: name, attributes: own } of representations) {
        const format = [id, own.codecs, own.width, own.height].join(' ');
        assert.equal(known.get(` ${name}`) ?? format, format, `${name} is the same`);
        known.set(` ${name}`, format);
      }
    }
    for (const type of ['video', 'audio']) {
      const ofType = sets.filter(({ attributes }) => attributes.contentType === type);
      const main = ofType.filter(({ descriptors }) => descriptors.includes(MAIN));
      assert.ok(main.length <= 1, `one ${type} is the main one`);
    }
  }
}

const MAIN = 'urn:mpeg:dash:role:2011 main';
