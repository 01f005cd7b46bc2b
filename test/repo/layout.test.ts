import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  brokenReferences,
  environmentReaders,
  localFacts,
  lockfileFaults,
  looseVersions,
  strayTopLevel,
  tooLongFiles,
} from './layout-rules.ts';
import { ROOT, readRepository, repositoryPaths } from './repository-files.ts';

const PROJECT = [
  'README.md',
  'bin',
  'cdk.json',
  'containers',
  'docs',
  'lambdas',
  'lib',
  'package.json',
  'test',
  'tsconfig.json',
  'web',
];
const TOOL_FILES = [
  '.ci',
  '.editorconfig',
  '.gitignore',
  'LICENSE',
  'biome.json',
  'package-lock.json',
];

const ENVIRONMENT_ROOTS = [
  'bin/',
  'containers/',
  'lambdas/',
  'lib/embedded/embedded-config.ts',
  'test/',
];

const SOURCES = /\.(?:ts|mjs|js|css|html)$/;
const TEXTS = /(?:\.(?:ts|mjs|js|json|css|html|svg|md|sh|yml|yaml|txt)|Dockerfile|\.ci\/run)$/;

const parsed = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

describe('the repository', () => {
  test('repository: the top level has nothing but the project and its tools', () => {
    const paths = repositoryPaths();
    assert.deepEqual(strayTopLevel(paths, [...PROJECT, ...TOOL_FILES]), []);
    for (const name of ['package.json', 'tsconfig.json', 'bin', 'lib', 'test']) {
      assert.ok(
        paths.some((path) => path === name || path.startsWith(`${name}/`)),
        name,
      );
    }
    accessSync(join(ROOT, '.ci', 'run'), constants.X_OK);
  });

  test('repository: no source file has more than 400 lines', () => {
    assert.deepEqual(tooLongFiles(readRepository(SOURCES)), []);
  });

  test('repository: only the entry points of processes read the environment', () => {
    assert.deepEqual(environmentReaders(readRepository(SOURCES), ENVIRONMENT_ROOTS), []);
  });

  test('repository: no text names a path or host of the machine it was written on', () => {
    const files = readRepository(TEXTS);
    assert.ok(files.some(({ path }) => path === '.ci/run'));
    assert.deepEqual(localFacts(files), []);
  });

  test('repository: dependencies are pinned, for every platform', () => {
    assert.deepEqual(looseVersions(parsed('package.json')), []);
    assert.deepEqual(lockfileFaults(parsed('package-lock.json')), []);
  });

  test('repository: the Markdown pages name only links, paths and scripts that exist', () => {
    const paths = repositoryPaths();
    const pages = readRepository(/\.md$/);
    const broken = pages.flatMap((page) => brokenReferences(page, paths, parsed('package.json')));
    assert.deepEqual(broken, []);
  });
});

describe('the checks of the repository', () => {
  test('layout rules: they find stray files, long files and readers of the environment', () => {
    assert.deepEqual(strayTopLevel(['lib/a.ts', 'lib/b.ts', 'notes.txt', 'src/c.ts'], ['lib']), [
      'notes.txt does not belong on the top level',
      'src does not belong on the top level',
    ]);

    const lines = (count: number) => 'x\n'.repeat(count);
    const long = tooLongFiles([
      { path: 'a.ts', text: lines(400) },
      { path: 'b.ts', text: lines(401) },
    ]);
    assert.deepEqual(long, ['b.ts has 401 lines; split it by meaning']);

    const readers = (path: string, text: string) =>
      environmentReaders([{ path, text }], ['bin/', 'lib/embedded/embedded-config.ts']).length;
    assert.equal(readers('lib/a.ts', 'const port = process.env.PORT;'), 1);
    assert.equal(readers('lib/a.ts', "process['env']"), 1);
    assert.equal(readers('lib/a.ts', 'const { env } = process;'), 1);
    assert.equal(readers('lib/a.ts', "import { env } from 'node:process';"), 1);
    assert.equal(readers('lib/a.ts', 'process.environment; const env = {}; process.exit(1)'), 0);
    assert.equal(readers('lib/a.ts', "spawn('x', { env: { ...process.env, A: 'b' } })"), 0);
    assert.equal(readers('bin/a.ts', 'process.env.PORT'), 0);
    assert.equal(readers('lib/embedded/embedded-config.ts', 'process.env.PORT'), 0);
  });

  test('layout rules: they find paths and hosts of one machine', () => {
    const facts = (text: string) => localFacts([{ path: 'a.md', text }]);
    const rooted = (...parts: string[]) => ['', ...parts].join('/');
    assert.deepEqual(facts(`one\ncd ${rooted('work', 'main')}\n`), [
      `a.md:2: cd ${rooted('work', 'main')}`,
    ]);
    for (const [line, count] of [
      [`"${rooted('root', '.npmrc')}"`, 1],
      [`(${rooted('work', '.npmrc')})`, 1],
      [`https://${['registry', 'example', 'org'].join('.')}/x`, 1],
      [`https://www.${['npmjs', 'com'].join('.')}/package/x`, 1],
      [`lib${rooted('work', 'queue.ts')}`, 0],
      [`https://host${rooted('root', 'x')}`, 0],
      ['the root of the work', 0],
    ] as const) {
      assert.equal(facts(line).length, count, line);
    }
  });

  test('layout rules: they find loose versions and incomplete lockfiles', () => {
    const versions = {
      dependencies: { a: '1.2.3', b: '^1.2.3', c: '1.2.3-rc.1' },
      devDependencies: { d: 'latest' },
      optionalDependencies: { e: '24.x' },
    };
    assert.deepEqual(looseVersions(versions), [
      'b is not pinned: ^1.2.3',
      'd is not pinned: latest',
      'e is not pinned: 24.x',
    ]);

    const host = 'https://mirror.example/a.tgz';
    const packages = {
      '': { optionalDependencies: { a: '1.0.0' } },
      'node_modules/a': { integrity: 'sha512-', resolved: host },
      'node_modules/b': {},
      'node_modules/c': {
        integrity: 'sha512-',
        optionalDependencies: { a: '1.0.0', 'c-mac': '1' },
      },
    };
    assert.deepEqual(lockfileFaults({ packages }), [
      `node_modules/a names a host: ${host}`,
      'node_modules/b has no integrity',
      'c-mac, optional for node_modules/c, is missing',
    ]);
  });

  test('layout rules: they find references to missing files and scripts', () => {
    const text = [
      'See [the API](lib/api/routes.ts#L3), [this](docs/none.md) and [that](https://host/none.md).',
      'Made by `lib/api/`, `lib/api/gone.ts`, `./bin/gone.mjs`, `lib/*/none.ts` and `text/html`.',
      '```sh',
      'npm start && npm run bench && npm run gone && npm test',
      'cat `lib/in-a-block.ts`',
      '```',
    ].join('\n');
    const paths = ['README.md', 'lib/api/routes.ts', 'bin/task.mjs'];
    const scripts = { start: 'x', bench: 'x' };
    assert.deepEqual(brokenReferences({ path: 'README.md', text }, paths, { scripts }), [
      'README.md links to docs/none.md, which does not exist',
      'README.md names lib/api/gone.ts, which does not exist',
      'README.md names bin/gone.mjs, which does not exist',
      'README.md names the npm script gone, which does not exist',
      'README.md names the npm script test, which does not exist',
    ]);
  });
});
