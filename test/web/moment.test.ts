import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedCode, linkAt, parseMoment } from '../../web/watch/moment.ts';

test('moment: seconds, hours with units or colons, and instants are understood', () => {
  for (const [text, expected] of [
    ['90', { seconds: 90 }],
    ['1.5s', { seconds: 1.5 }],
    ['1h2m3s', { seconds: 3723 }],
    ['2m', { seconds: 120 }],
    ['1:02:03', { seconds: 3723 }],
    ['2:03.5', { seconds: 123.5 }],
    ['2026-01-01T00:00:00.250Z', { instantMs: Date.parse('2026-01-01T00:00:00.250Z') }],
    ['', undefined],
    [null, undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['2026-13-01T00:00:00Z', undefined],
  ] as const) {
    assert.deepEqual(parseMoment(text), expected, String(text));
  }
});

test('moment: a link says whole seconds of a recording and the very instant of a live stream, and no key', () => {
  const page = 'https://tv.example/watch/show?t=1#key=secret';
  assert.equal(linkAt(page, { seconds: 61.9 }), 'https://tv.example/watch/show?t=61');
  const instantMs = Date.parse('2026-01-01T00:00:00.040Z');
  const link = linkAt(page, { instantMs });
  assert.equal(link, 'https://tv.example/watch/show?t=2026-01-01T00:00:00.040Z');
  assert.deepEqual(parseMoment(new URL(link).searchParams.get('t')), { instantMs });
});

test('moment: the embed code holds a title as text, whatever is in it', () => {
  const code = embedCode('https://tv.example', 'a b', '"><script>&');
  assert.match(
    code,
    /^<iframe src="https:\/\/tv\.example\/embed\/a%20b" title="&quot;><script>&amp;" /,
  );
  assert.equal(code.match(/"/g)?.length, 12);
});
