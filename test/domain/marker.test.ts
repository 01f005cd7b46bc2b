import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Marker,
  type MarkerChange,
  overlaps,
  rangeIdOf,
} from '../../lib/domain/markers/marker.ts';
import { MarkerLog } from '../../lib/domain/markers/marker-log.ts';
import { TagPlacement } from '../../lib/domain/markers/marker-placement.ts';

const marker = (id: string, startMs: number, more: Partial<Marker> = {}): Marker => ({
  ...{ id, class: 'goal', startMs, endMs: startMs },
  ...more,
});

describe('the ID of a date range', () => {
  const open = { ...marker('a', 1000), endMs: undefined, data: { x: 1, y: [2] } };
  const published = { rangeId: 'a', marker: open };

  test('is the marker’s own when it is new', () => {
    assert.equal(rangeIdOf(open, 1, undefined), 'a');
    assert.equal(rangeIdOf(open, 3, undefined), 'a', 'changed before it was shown');
  });

  test('stays when only the end becomes known', () => {
    const ended = { ...open, endMs: 2000, data: { y: [2], x: 1 } };
    assert.equal(rangeIdOf(ended, 2, published), 'a');
    assert.equal(rangeIdOf(ended, 5, { rangeId: 'a~4', marker: open }), 'a~4');
  });

  test('is another one when anything else changes', () => {
    const ended = { ...open, endMs: 2000 };
    assert.equal(rangeIdOf({ ...ended, text: 'late' }, 2, published), 'a~2');
    assert.equal(rangeIdOf({ ...open, startMs: 999 }, 2, published), 'a~2');
    assert.equal(rangeIdOf({ ...ended, endMs: 3000 }, 3, { rangeId: 'a', marker: ended }), 'a~3');
    assert.equal(rangeIdOf(open, 3, { rangeId: 'a', marker: ended }), 'a~3', 'no end any more');
  });
});

test('a marker overlaps a span with its first and last instant, and without an end for ever', () => {
  const span = { startMs: 10, endMs: 20 };
  assert.deepEqual(
    [
      [0, 9],
      [0, 10],
      [20, 30],
      [21, 30],
    ].map(([from = 0, to = 0]) => overlaps(span, from, to)),
    [false, true, true, false],
  );
  assert.equal(overlaps({ startMs: 10 }, 1e9, 1e9), true);
});

const change = (
  version: number,
  sequence: number,
  shown: Marker | string,
  rangeId = typeof shown === 'string' ? shown : shown.id,
): MarkerChange =>
  typeof shown === 'string'
    ? { version, sequence, id: shown, rangeId }
    : { version, sequence, id: shown.id, rangeId, marker: shown };

const logOf = (...changes: MarkerChange[]): MarkerLog => {
  const log = new MarkerLog();
  for (const one of changes) log.add(one);
  return log;
};

describe('the log of markers', () => {
  const begun = { ...marker('a', 5000), endMs: undefined };
  const ended = { ...begun, endMs: 9000 };

  test('lists one that ended later with both of its tags, each where it was listed first', () => {
    const log = logOf(change(1, 3, begun), change(2, 4, marker('b', 1000)), change(3, 6, ended));
    const tags = log
      .tags()
      .map(({ sequence, rangeId, marker }) => [sequence, rangeId, marker.endMs]);
    assert.deepEqual(tags, [
      [3, 'a', undefined],
      [4, 'b', 1000],
      [6, 'a', 9000],
    ]);
    assert.deepEqual([log.removals, log.version], [0, 3]);
    assert.deepEqual(log.markers(), [marker('b', 1000), ended]);
  });

  test('takes the tags away of what was removed or has another ID, and counts that', () => {
    const moved = { ...ended, startMs: 4000 };
    const log = logOf(change(1, 3, begun), change(2, 4, ended), change(3, 6, moved, 'a~3'));
    assert.deepEqual(log.tags(), [{ sequence: 6, rangeId: 'a~3', marker: moved }]);
    assert.equal(log.removals, 1);
    log.add(change(4, 7, 'a', 'a~3'));
    assert.deepEqual([log.tags(), log.markers(), log.removals], [[], [], 2]);
  });

  test('says what is new since a version', () => {
    const log = logOf(
      change(1, 0, marker('a', 1)),
      change(2, 0, marker('b', 2)),
      change(3, 0, 'a'),
    );
    assert.deepEqual(log.since(0), { markers: [marker('b', 2)], removed: ['a'] });
    assert.deepEqual(log.since(2), { markers: [], removed: ['a'] });
    assert.deepEqual(log.since(3), { markers: [], removed: [] });
  });
});

describe('tags of markers in a live playlist', () => {
  const entry = (sequence: number) => ({ sequence, programDateTimeMs: sequence * 1000 });
  const ids = (tags: readonly Readonly<{ rangeId: string }>[]) => tags.map((tag) => tag.rangeId);

  test('stand before the entry that came next, and behind the last while none did', () => {
    const log = logOf(
      change(1, 1, marker('a', 500)),
      change(2, 3, marker('late', 1500)),
      change(3, 3, marker('b', 9000)),
    );
    const tags = new TagPlacement(log.tags(), entry(0));
    assert.deepEqual(
      [0, 1, 2].map((at) => ids(tags.before(entry(at)))),
      [[], ['a'], []],
    );
    assert.deepEqual(ids(tags.rest()), ['late', 'b']);
  });

  test('move to the front of a window that has left their place, and go when it has left their time', () => {
    const log = logOf(
      change(1, 1, marker('gone', 3999)),
      change(2, 1, marker('long', 0, { endMs: 4000 })),
      change(3, 2, marker('future', 60_000)),
      change(4, 3, { ...marker('open', 0), endMs: undefined }),
    );
    const tags = new TagPlacement(log.tags(), entry(4));
    assert.deepEqual(ids(tags.before(entry(4))), ['long', 'future', 'open']);
    assert.deepEqual(ids(tags.rest()), []);
  });

  test('are listed once each, however the playlist grew', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 20 }), fc.nat(20), (sequences, taken) => {
        const sorted = sequences.toSorted((a, b) => a - b);
        const changes = sorted.map((at, index) => change(index + 1, at, marker(`m${index}`, 1e6)));
        const log = logOf(...changes);
        const whole = new TagPlacement(log.tags(), entry(0));
        const listed = Array.from({ length: 21 }, (_, at) => ids(whole.before(entry(at))));
        const later = new TagPlacement(log.tags(), entry(0), taken);
        for (let at = taken + 1; at <= 20; at += 1) {
          assert.deepEqual(ids(later.before(entry(at))), listed[at]);
        }
        assert.deepEqual(ids(later.rest()), []);
        assert.equal(listed.flat().length, sorted.length);
      }),
    );
  });
});
