import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { forbiddenImports, type ImportTable, importsOf } from './import-rules.ts';
import { readRepository } from './repository-files.ts';

/**
 * Which area may import which. Down to `lib/pipeline` nothing knows where it runs; `lib/embedded` and
 * `lib/aws` implement the ports; `lambdas`, `containers`, `web` and `bin` are the processes.
 */
const ALLOWED: ImportTable = {
  'lib/domain': {},
  // What is of no domain: settings, command lines, retries, locks.
  'lib/base': { node: ['node:fs', 'node:fs/promises', 'node:timers/promises', 'node:util'] },
  'lib/api': { areas: ['lib/domain'], packages: ['zod'] },
  'lib/ports': {},
  'lib/playlist': { areas: ['lib/domain'] },
  'lib/ffmpeg': { areas: ['lib/domain'], node: 'all' },
  'lib/media': {
    // Pushed playlists are foreign bytes, too, and read in its threads.
    areas: ['lib/domain', 'lib/ffmpeg', 'lib/playlist'],
    packages: ['@svta/cml-608', 'mediabunny'],
    node: 'all',
  },
  'lib/pipeline': {
    areas: ['lib/base', 'lib/domain', 'lib/ffmpeg', 'lib/media', 'lib/playlist', 'lib/ports'],
    types: ['lib/api'],
    // zod for the messages that come back from a queue.
    packages: ['lru-cache', 'zod'],
    // Computation and waiting; files and network are behind the ports.
    node: ['node:buffer', 'node:crypto', 'node:timers/promises', 'node:util', 'node:zlib'],
  },
  'lib/embedded': {
    areas: ['lib/api', 'lib/base', 'lib/domain', 'lib/ports'],
    packages: ['aws-lambda'],
    node: 'all',
  },
  'lib/encoder': {
    areas: ['lib/api', 'lib/base', 'lib/domain', 'lib/ffmpeg', 'lib/playlist'],
    node: 'all',
  },
  'lib/cameras': {
    areas: ['lib/base', 'lib/domain', 'lib/encoder'],
    packages: ['zod'],
    node: 'all',
  },
  'lib/aws': {
    areas: ['lib/base', 'lib/ports'],
    packages: [
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/client-ecs',
      '@aws-sdk/client-s3',
      '@aws-sdk/client-sqs',
      '@aws-sdk/s3-request-presigner',
    ],
    node: 'all',
  },
  'lib/infra': {
    areas: ['lib/api', 'lib/aws', 'lib/base', 'lib/domain', 'lib/ports'],
    types: ['lambdas', 'lib/pipeline'],
    packages: ['aws-cdk-lib', 'cdk-nag', 'constructs', 'zod'],
    node: ['node:path'],
  },
  'lib/infra/bundling': { areas: ['lib/infra'], packages: ['esbuild'], node: 'all' },
  lambdas: {
    areas: [
      'lib/api',
      'lib/aws',
      'lib/base',
      'lib/domain',
      'lib/media',
      'lib/pipeline',
      'lib/playlist',
      'lib/ports',
    ],
    packages: [
      '@aws-lambda-powertools/logger',
      '@aws-lambda-powertools/metrics',
      '@aws-sdk/client-secrets-manager',
      '@middy/core',
      'aws-lambda',
      'zod',
    ],
    // The built pages beside a bundle.
    node: ['node:fs/promises'],
  },
  containers: {
    areas: ['lib/aws', 'lib/base', 'lib/ffmpeg', 'lib/pipeline', 'lib/ports'],
    packages: ['esbuild'],
    node: 'all',
  },
  web: { areas: ['lib/api', 'lib/domain'], packages: ['hls.js', 'media-chrome'] },
  // What it may import beside the pages: the container that it muxes.
  'web/studio': { areas: ['lib/api', 'web'], packages: ['mediabunny'] },
  'web/build.ts': { areas: ['web/icon-png.ts'], packages: ['esbuild'], node: 'all' },
  'web/icon-png.ts': { node: ['node:zlib'] },
  // Samples for users stand alone.
  docs: { node: ['node:child_process'] },
  bin: { areas: 'all', packages: 'all', node: 'all' },
  test: { areas: 'all', packages: 'all', node: 'all' },
};

describe('import table', () => {
  test('every import follows the table', () => {
    const files = readRepository(/\.(?:ts|mjs|js)$/);
    assert.ok(files.length > 20);
    assert.ok(files.some(({ text }) => importsOf(text).length > 3));
    assert.deepEqual(forbiddenImports(ALLOWED, files), []);
  });

  test('imports are found in every form', () => {
    const source = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import { type C, type D } from '../c.ts';",
      "import { type E, f } from './e.ts';",
      'import {',
      '  type G,',
      '  h,',
      "} from './g.ts';",
      "import './side-effect.ts';",
      "import * as path from 'node:path';",
      "import hls, { type I } from 'hls.js/light';",
      "export { j } from './j.ts';",
      "export * from './k.ts';",
      "  const late = await import('./late.ts');",
      "// import { no } from './comment.ts';",
      " * import('./docs.ts')",
      "export const name = 'no import';",
    ].join('\n');
    assert.deepEqual(
      importsOf(source).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`),
      [
        './a.ts',
        './b.ts type',
        '../c.ts type',
        './e.ts',
        './g.ts',
        './side-effect.ts',
        'node:path',
        'hls.js/light',
        './j.ts',
        './k.ts',
        './late.ts',
      ],
    );
  });

  test('imports beyond the table are named', () => {
    const table: ImportTable = {
      'lib/low': {},
      'lib/low/deep': { areas: ['lib/low'] },
      'lib/high': { areas: ['lib/low'], types: ['lib/side'], packages: ['zod'], node: ['node:os'] },
      'lib/side': {},
      test: { areas: 'all', packages: 'all', node: 'all' },
    };
    const imports = (path: string, ...specifiers: string[]) =>
      forbiddenImports(table, [
        {
          path,
          text: specifiers.map((specifier) => `import { x } from '${specifier}';`).join('\n'),
        },
      ]);
    assert.deepEqual(
      imports('lib/high/a.ts', './b.ts', '../low/c.ts', 'zod', 'zod/mini', 'node:os'),
      [],
    );
    assert.deepEqual(imports('lib/low/deep/a.ts', '../b.ts'), []);
    assert.deepEqual(imports('test/low/a.test.ts', '../../lib/low/a.ts', './b.ts', 'any'), []);
    const refused: readonly (readonly [string, string])[] = [
      ['lib/low/a.ts', '../high/b.ts'],
      ['lib/low/a.ts', './deep/b.ts'],
      ['lib/low/a.ts', 'node:fs'],
      ['lib/high/a.ts', 'node:fs'],
      ['lib/high/a.ts', 'zodiac'],
      ['lib/high/a.ts', '@scope/zod'],
      ['lib/high/a.ts', '../side/b.ts'],
      ['lib/high/a.ts', '../../test/support/b.ts'],
      ['lib/high/a.ts', '../elsewhere/b.ts'],
    ];
    for (const [path, specifier] of refused) {
      assert.deepEqual(imports(path, specifier), [`${path} must not import ${specifier}`]);
    }
    const typed = { path: 'lib/high/a.ts', text: "import type { X } from '../side/b.ts';" };
    assert.deepEqual(forbiddenImports(table, [typed]), []);
    assert.deepEqual(imports('tools/a.ts'), ['tools/a.ts is in no area of the table']);
  });
});
