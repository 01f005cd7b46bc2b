import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answerTwin,
  isBetterVariant,
  overlap,
  type Span,
  type TwinAnswer,
  type TwinQuestion,
} from '../../lib/domain/pushed-twin.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';

const span = (startSeconds: number, endSeconds = startSeconds + 2): Span => ({
  startTicks: startSeconds * TICKS_PER_SECOND,
  endTicks: endSeconds * TICKS_PER_SECOND,
});

/** Segments 0 to 4 of two seconds are there; segment 4 comes again. */
const AGAIN: TwinQuestion = {
  isSameName: true,
  span: span(8),
  twin: span(8),
  twinNumber: 4,
  newest: { number: 4, ...span(8) },
  firstNumber: 0,
  runEnded: false,
  twinIsDone: false,
  cameTogether: true,
  isBetter: false,
  isRunsOwn: false,
  isFirstPicture: false,
  isRedundant: false,
};

/** Segment 0 is the only one. */
const ONLY = { span: span(0), twin: span(0), twinNumber: 0, newest: { number: 0, ...span(0) } };
const VARIANT = { isSameName: false };
const FIRST = { span: span(0), twin: span(0), twinNumber: 0 };

describe('a pushed segment whose number or time is taken', () => {
  const CASES: readonly (readonly [string, Partial<TwinQuestion>, TwinAnswer])[] = [
    ['the newest again', {}, 'replace'],
    ['the newest again, which is listed', { twinIsDone: true }, 'keep_twin'],
    ['a recent one again', { span: span(4), twin: span(4), twinNumber: 2 }, 'replace'],
    ['the only one again', ONLY, 'replace'],
    ['the only one again, which is listed: a restart', { ...ONLY, twinIsDone: true }, 'new_run'],
    ['the first again after others: a restart', FIRST, 'new_run'],
    ['any after the end of the run: a restart', { runEnded: true }, 'new_run'],
    [
      'one of long ago: a restart whose first segments were lost',
      { newest: { number: 40, ...span(80) } },
      'new_run',
    ],
    ['its name with the time that follows: names in turn', { span: span(10) }, 'next_number'],
    ['the same after a short pause', { span: span(30) }, 'next_number'],
    ['its name with a time far ahead: a restart', { span: span(90) }, 'new_run'],
    ['its name with an earlier time: a restart', { span: span(2) }, 'new_run'],
    ['the time that follows, after the end', { span: span(10), runEnded: true }, 'new_run'],
    ['the newest from a second encoder', { isRedundant: true }, 'keep_twin'],
    ['the first from a second encoder', { ...FIRST, isRedundant: true }, 'keep_twin'],
    [
      'the first of a restart of redundant encoders',
      { ...FIRST, isRedundant: true, cameTogether: false },
      'new_run',
    ],
    ['another name for the newest time', VARIANT, 'ignore_variant'],
    [
      'another name, better, after the first segment',
      { ...VARIANT, isBetter: true },
      'ignore_variant',
    ],
    ['another name, better, for the first', { ...VARIANT, ...ONLY, isBetter: true }, 'replace'],
    [
      'another name, better, for a first one that is listed',
      { ...VARIANT, ...ONLY, isBetter: true, twinIsDone: true },
      'switch_variant',
    ],
    ['the run’s own variant behind another', { ...VARIANT, isRunsOwn: true }, 'replace'],
    [
      'the run’s own variant behind another that is listed',
      { ...VARIANT, isRunsOwn: true, twinIsDone: true },
      'keep_twin',
    ],
    [
      'the picture of a run that has had sound alone',
      { ...VARIANT, isBetter: true, isFirstPicture: true },
      'switch_variant',
    ],
    [
      'the picture of a run of one segment of sound',
      { ...VARIANT, ...ONLY, isBetter: true, isFirstPicture: true },
      'replace',
    ],
    ['another name, not better, for the first', { ...VARIANT, ...ONLY }, 'ignore_variant'],
    [
      'another name for the same time, much later: a restart',
      { ...VARIANT, cameTogether: false },
      'new_run',
    ],
    ['another name under a number that was guessed', { ...VARIANT, span: span(10) }, 'next_number'],
  ];
  for (const [what, question, expected] of CASES) {
    test(`${what}: ${expected}`, () => {
      assert.equal(answerTwin({ ...AGAIN, ...question }), expected);
    });
  }

  test('two segments show the same time if they share more than half of the shorter one', () => {
    assert.equal(overlap(span(0), span(0.9)), true);
    assert.equal(overlap(span(0), span(1)), false);
    assert.equal(overlap(span(0, 10), span(4, 5)), true);
    assert.equal(overlap(span(0), span(2)), false);
    assert.equal(overlap(span(4), span(0)), false);
  });
});

describe('of two variants the better one', () => {
  const small = { name: 'b_1.ts', sizeBytes: 100, picture: { widthPx: 640, heightPx: 360 } };
  const large = { name: 'a_1.ts', sizeBytes: 90, picture: { widthPx: 1280, heightPx: 720 } };
  const sound = { name: 'c_1.aac', sizeBytes: 5000 };

  test('has a picture', () => {
    assert.equal(isBetterVariant(small, sound, {}), true);
    assert.equal(isBetterVariant(sound, small, { 'c.m3u8': 9, 'b.m3u8': 1 }), false);
  });

  test('has the larger BANDWIDTH, or the larger picture where no multivariant playlist came', () => {
    assert.equal(isBetterVariant(large, small, {}), true);
    assert.equal(isBetterVariant(small, large, {}), false);
    assert.equal(isBetterVariant(small, large, { 'a.m3u8': 1000, 'b.m3u8': 2000 }), true);
  });

  test('has more bytes for the same picture; the first of two equals stays', () => {
    assert.equal(isBetterVariant({ ...small, sizeBytes: 101 }, small, {}), true);
    assert.equal(isBetterVariant(small, small, {}), false);
  });
});
