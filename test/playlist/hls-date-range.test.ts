import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Marker } from '../../lib/domain/markers/marker.ts';
import { formatDateRange } from '../../lib/playlist/hls-date-range.ts';

const AT = Date.parse('2026-01-01T12:00:00.250Z');

for (const [what, marker, expected] of [
  [
    'an instant',
    { id: 'a', class: 'goal', startMs: AT, endMs: AT },
    'ID="a",CLASS="goal",START-DATE="2026-01-01T12:00:00.250Z",DURATION=0',
  ],
  [
    'a span',
    { id: 'a', class: 'rain', startMs: AT, endMs: AT + 1750 },
    'ID="a",CLASS="rain",START-DATE="2026-01-01T12:00:00.250Z",END-DATE="2026-01-01T12:00:02.000Z"',
  ],
  [
    'one that has not ended',
    { id: 'a', class: 'rain', startMs: AT },
    'ID="a",CLASS="rain",START-DATE="2026-01-01T12:00:00.250Z"',
  ],
  [
    'text and data that no quoted string could hold',
    { id: 'a', class: 'x', startMs: AT, endMs: AT, text: 'a "b"\n{$c}', data: { q: '"\n' } },
    'ID="a",CLASS="x",START-DATE="2026-01-01T12:00:00.250Z",DURATION=0,' +
      'X-COM-RIVULET-TEXT="a \'b\' { $c}",X-COM-RIVULET-DATA="%7B%22q%22%3A%22%5C%22%5Cn%22%7D"',
  ],
] satisfies [string, Marker, string][]) {
  test(`EXT-X-DATERANGE says ${what}`, () => {
    assert.equal(formatDateRange('a', marker), `#EXT-X-DATERANGE:${expected}\n`);
  });
}
