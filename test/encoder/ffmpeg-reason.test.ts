import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastLines, reasonFromLines, withoutCredentials } from '../../lib/encoder/ffmpeg-reason.ts';

test('reason of an ffmpeg: one line, the cause and not its consequences, without credentials', () => {
  const reasons: readonly (readonly [lines: string[], reason: string])[] = [
    [
      [
        '[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized',
        'rtsp://x:secret@cam/1: Server returned 401 Unauthorized (authorization failed)',
      ],
      'it refused: 401 Unauthorized',
    ],
    [
      ['[http @ 0x1] HTTP error 404 Not Found', 'http://h/x: Server returned 404 Not Found'],
      'it refused: 404 Not Found',
    ],
    [
      [
        '[tcp @ 0x5] Failed to resolve hostname cam.invalid: Name or service not known',
        'rtsp://cam.invalid/x: Input/output error',
      ],
      'no such host: cam.invalid',
    ],
    [
      ['[tcp @ 0x5] Connection to tcp://127.0.0.1:9?timeout=0 failed: Connection refused'],
      'connection refused',
    ],
    [['srt://h: Input/output error'], 'srt://h: Input/output error'],
    [['[a @ 0x1] [b @ 0x2] rtmp://me:secret@h/x: odd'], 'rtmp://h/x: odd'],
    [[], 'it ended with SIGSEGV'],
  ];
  for (const [lines, reason] of reasons) {
    assert.equal(reasonFromLines(lines, 'it ended with SIGSEGV'), reason);
  }
  assert.equal(withoutCredentials('rtsp://me:a@b@cam/1'), 'rtsp://cam/1');
});

test('reason of an ffmpeg: what it writes is kept up to eight short lines, however it comes', () => {
  const tail = new LastLines();
  for (const piece of ['one\ntw', 'o\n\n', 'thr']) tail.add(piece);
  assert.deepEqual(tail.all, ['one', 'two', 'thr']);
  for (let line = 0; line < 10_000; line += 1) tail.add(`${'x'.repeat(1000)}\n`);
  tail.add('y'.repeat(1_000_000));
  assert.equal(tail.all.length, 9);
  assert.ok(tail.all.join('').length <= 9 * 300);
});
