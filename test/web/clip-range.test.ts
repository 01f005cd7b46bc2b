import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  clipFile,
  clipLinkOf,
  clipPage,
  clipPlaylist,
  formatPrecise,
  parseClipLink,
  positionsOf,
  rangeOf,
  withMark,
} from '../../web/watch/clip/clip-range.ts';

const START = '2026-01-01T00:00:01.033Z';
const END = '2026-01-01T00:00:03.000Z';

describe('links to clips', () => {
  const parse = (query: string) => parseClipLink(new URLSearchParams(query));

  test('name a span by seconds or by instants, and anything else is no clip', () => {
    assert.deepEqual(parse('from=1.5&to=12'), { from: '1.5', to: '12' });
    assert.deepEqual(parse(`from=${START}&to=${END}`), { from: START, to: END });
    assert.deepEqual(parse(`from=1&to=${END}`), { from: '1', to: END });
    for (const query of [
      ...['', 'from=1', 'to=1', 'from=2&to=2', 'from=3&to=2', 'from=a&to=b', 'from=-1&to=2'],
      ...[`from=${END}&to=${START}`, 'from=1&to=2e3', 'from=1&to=2/../x', 'from=1"&to=2'],
    ]) {
      assert.equal(parse(query), undefined, query);
    }
  });

  test('are made of the milliseconds before the frames', () => {
    const link = clipLinkOf({ fromMs: Date.parse(START) + 0.33, toMs: Date.parse(END) + 0.99 });
    assert.deepEqual(link, { from: START, to: END });
    assert.equal(
      clipPage('https://host/watch/show', link),
      `https://host/watch/show?from=${START}&to=${END}`,
    );
    assert.deepEqual(parse(clipPage('', link).slice(1)), link);
    assert.equal(clipPlaylist('show', link), `/viewstream/show/clip?from=${START}&to=${END}`);
    assert.equal(
      clipFile('show', link, '720p'),
      `/viewstream/show/clip?format=mp4&from=${START}&to=${END}&resolution=720p`,
    );
    assert.equal(clipFile('show', undefined, ''), '/viewstream/show/clip?format=mp4');
  });

  test('lead to positions of the playlist that holds the clip', () => {
    const positionAt = (ms: number) => (ms === Date.parse(END) ? 3.5 : undefined);
    const seconds = { from: '10.5', to: '13' };
    assert.deepEqual(positionsOf(seconds, 0.5, positionAt, 6), { start: 0.5, end: 3 });
    assert.deepEqual(positionsOf(seconds, 0.5, positionAt, 2), { start: 0.5, end: 2 });
    const instants = { from: START, to: END };
    assert.deepEqual(positionsOf(instants, 0.5, positionAt, 6), { start: 0.5, end: 3.5 });
    const beyond = { from: START, to: '2026-01-01T00:00:09Z' };
    assert.deepEqual(positionsOf(beyond, 0.5, positionAt, 6), { start: 0.5, end: 6 });
  });
});

describe('the marks of a clip', () => {
  test('make a span when both are there, in order', () => {
    assert.equal(rangeOf({}), undefined);
    assert.equal(rangeOf({ fromMs: 1 }), undefined);
    assert.deepEqual(rangeOf({ fromMs: 1, toMs: 2 }), { fromMs: 1, toMs: 2 });
    assert.equal(rangeOf({ fromMs: 2, toMs: 2 }), undefined);
  });

  test('are taken away by one that is set behind them', () => {
    assert.deepEqual(withMark({ fromMs: 1, toMs: 5 }, 'fromMs', 3), { fromMs: 3, toMs: 5 });
    assert.deepEqual(withMark({ fromMs: 1, toMs: 5 }, 'fromMs', 6), { fromMs: 6 });
    assert.deepEqual(withMark({ fromMs: 4, toMs: 5 }, 'toMs', 2), { toMs: 2 });
  });

  test('are shown to the hundredth of a second', () => {
    assert.equal(formatPrecise(75.254), '1:15.25');
    assert.equal(formatPrecise(59.999), '1:00.00');
    assert.equal(formatPrecise(0), '0:00.00');
  });
});
