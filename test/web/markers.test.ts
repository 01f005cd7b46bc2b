import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MarkerView } from '../../lib/api/messages.ts';
import {
  classesOf,
  currentMarker,
  hueOf,
  NO_MARKERS,
  withNews,
} from '../../web/watch/shown-markers.ts';
import { instantAt, positionAt } from '../../web/watch/wall-clock.ts';

describe('positions and the wall clock', () => {
  const segment = (start: number, programDateTime: number | null) => ({
    ...{ start, duration: 2, programDateTime },
  });
  /** Two segments, a pause of a minute, two more. */
  const segments = [
    segment(10, 100_000),
    segment(12, 102_000),
    segment(14, 164_000),
    segment(16, 166_000),
  ];

  test('wall clock: an instant has its position, in a pause the one behind it, and outside of all none', () => {
    const cases = [
      [99_999, undefined],
      [100_000, 10],
      [101_500, 11.5],
      [103_999, 13.999],
      [130_000, 14],
      [167_999, 17.999],
      [168_000, undefined],
    ] as const;
    for (const [instantMs, position] of cases) {
      assert.equal(positionAt(segments, instantMs), position, String(instantMs));
    }
  });

  test('wall clock: a position has its instant', () => {
    assert.equal(instantAt(segments, 13.5), 103_500);
    assert.equal(instantAt(segments, 14), 164_000);
    assert.equal(instantAt(segments, 18), undefined);
    assert.equal(instantAt([segment(0, null)], 1), undefined);
    assert.equal(positionAt([segment(0, null)], 1), undefined);
  });
});

describe('the markers of the page', () => {
  const view = (id: string, seconds: number, more: Partial<MarkerView> = {}): MarkerView => ({
    ...{ id, class: 'goal', at: new Date(seconds * 1000).toISOString() },
    ...more,
  });
  const ids = ({ markers }: typeof NO_MARKERS) => markers.map(({ id }) => id).join(' ');

  test('markers: news add, change and remove, and what they lead to is in order of time', () => {
    const first = withNews(NO_MARKERS, {
      version: 2,
      markers: [view('b', 20), view('a', 10)],
      removed: [],
    });
    assert.equal(ids(first), 'a b');
    const second = withNews(first, {
      version: 5,
      markers: [view('a', 30), view('c', 5)],
      removed: ['b'],
    });
    assert.equal(ids(second), 'c a');
    assert.equal(withNews(second, { version: 5, markers: [], removed: [] }), second);
  });

  test('markers: an instant ends where it starts, a span has its end or none yet', () => {
    const rain = { id: 'r', class: 'rain', start: '1970-01-01T00:00:01Z' };
    const { markers } = withNews(NO_MARKERS, {
      version: 1,
      markers: [view('a', 3), rain, { ...rain, id: 's', end: '1970-01-01T00:00:02Z' }],
    });
    assert.deepEqual(
      markers.map(({ startMs, endMs }) => [startMs, endMs]),
      [
        [1000, undefined],
        [1000, 2000],
        [3000, 3000],
      ],
    );
  });

  test('markers: the current one is the newest that has begun', () => {
    const { markers } = withNews(NO_MARKERS, { version: 1, markers: [view('a', 1), view('b', 2)] });
    assert.equal(currentMarker(markers, 999), undefined);
    assert.equal(currentMarker(markers, 1999)?.id, 'a');
    assert.equal(currentMarker(markers, 2000)?.id, 'b');
    assert.equal(currentMarker(markers, undefined), undefined);
  });

  test('markers: classes are listed once, each with a colour of its own', () => {
    const some = withNews(NO_MARKERS, {
      version: 1,
      markers: [view('a', 1), view('b', 2, { class: 'card' }), view('c', 3)],
    });
    const classes = classesOf(some);
    assert.deepEqual(classes, ['card', 'goal']);
    assert.notEqual(hueOf('card', classes), hueOf('goal', classes));
  });
});
