import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { acceptedTypes } from '../../lib/domain/accept.ts';

const TYPES = ['video/mp4', 'video/webm', 'video/mp2t'];

describe('the media types that a client accepts', () => {
  test('come in the order of their weights, and of equal ones in our own', () => {
    for (const [header, types] of [
      [undefined, TYPES],
      ['', TYPES],
      ['*/*', TYPES],
      ['video/*', TYPES],
      ['video/webm', ['video/webm']],
      ['VIDEO/WebM;codecs="vp9"', ['video/webm']],
      ['video/mp4;q=0.5, video/webm;q=0.7', ['video/webm', 'video/mp4']],
      // The most specific range counts (RFC 9110, 12.5.1).
      ['*/*;q=0.1, video/*;q=0.2, video/mp2t;q=0.3', ['video/mp2t', 'video/mp4', 'video/webm']],
      ['video/*, video/mp4;q=0', ['video/webm', 'video/mp2t']],
      ['image/*, text/html', []],
      ['*/*;q=0', []],
      ['video/webm;q=2, video/mp4;q=abc', []],
      [',;,q=1;;', []],
    ] as const) {
      assert.deepEqual(acceptedTypes(header, TYPES), types, header);
    }
  });
});
