import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileName } from '../../lambdas/api/upload-request.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';

const nameOf = (name: string) => fileName({ pathParameters: { name } } as unknown as HttpEvent);

test('file names of encoders are taken as they are, with their folders', () => {
  const names: Readonly<Record<string, string>> = {
    'live0.ts': 'live0.ts',
    'v0/seg 1.ts': 'v0/seg 1.ts',
    '/v0//seg1.ts': 'v0/seg1.ts',
    '0/seg1.ts': '0/seg1.ts',
    '2026/11/26/hd/seg1.ts': '2026/11/26/hd/seg1.ts',
    'видео-1.ts': 'видео-1.ts',
    'a..b.ts': 'a..b.ts',
    'Fragments(video=40000000)': 'Fragments(video=40000000)',
    [`${'x'.repeat(252)}.ts`]: `${'x'.repeat(252)}.ts`,
  };
  for (const [name, expected] of Object.entries(names)) assert.equal(nameOf(name), expected);
});

test('a name that is refused says what to do', () => {
  const names: readonly (readonly [name: string, message: RegExp, hint: RegExp])[] = [
    ['', /names no file/, /live\.m3u8/],
    ['//', /names no file/, /live\.m3u8/],
    ['../x.ts', /begins with "\."/, /Leave out/],
    ['v0/../x.ts', /begins with "\."/, /Leave out/],
    ['.hidden.ts', /begins with "\."/, /Leave out/],
    ['a\u0000.ts', /control characters/, /letters/],
    ['a\n.ts', /control characters/, /letters/],
    ['a\u202e1.ts', /control characters/, /letters/],
    ['x/1.ts', /folder of one letter/, /number or a word/],
    ['x'.repeat(256), /has 256 bytes/, /at most 255 bytes/],
    ['я'.repeat(128), /has 256 bytes/, /at most 255 bytes/],
  ];
  for (const [name, message, hint] of names) {
    assert.throws(
      () => nameOf(name),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'bad_name');
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        return true;
      },
    );
  }
});
