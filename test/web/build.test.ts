import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BuiltFile, buildPages } from '../../web/build.ts';
import budget from './size-budget.json' with { type: 'json' };

describe('the built pages', () => {
  let folder = '';
  let files: readonly BuiltFile[] = [];
  let page = '';

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'rivulet-pages-'));
    files = await buildPages(folder);
    page = await readFile(path.join(folder, 'index.html'), 'utf8');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('built pages: they have no inline script, style or handler, and nothing from another host', () => {
    assert.doesNotMatch(page, /<script(?![^>]*\ssrc="\.\/assets\/)/);
    assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|javascript:/i);
    const addresses = [...page.matchAll(/\s(?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    assert.ok(addresses.length >= 4);
    for (const address of addresses) assert.match(address, /^(\.\/assets\/|#)/);
    assert.doesNotMatch(page, /\{\{/);
    assert.match(page, /Content-Security-Policy" content="default-src 'self'; /);
  });

  test('built pages: names carry a hash of the content, and every file is listed', async () => {
    const onDisk = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
    assert.deepEqual(onDisk.toSorted(), files.map((file) => path.normalize(file.path)).toSorted());
    assert.equal(files[0]?.path, 'index.html');
    for (const file of files.slice(1))
      assert.match(file.path, /^assets\/[\w.-]+-[A-Z0-9]{8}\.\w+$/);
    for (const [, name] of page.matchAll(/"\.\/(assets\/[^"]+)"/g)) {
      assert.ok(
        files.some((file) => file.path === name),
        name,
      );
    }
  });

  test('built pages: a second build gives the same files and removes those of an older one', async () => {
    await writeFile(path.join(folder, 'assets', 'watch-OLDOLDOL.js'), '');
    assert.deepEqual(await buildPages(folder), files);
    assert.equal((await readdir(path.join(folder, 'assets'))).length, files.length - 1);
  });

  test('built pages: while they are built again, every file can be read', async () => {
    let building = true;
    let reads = 0;
    const read = async () => {
      while (building) {
        for (const { path: name, sizeBytes } of files) {
          assert.equal((await readFile(path.join(folder, name))).length, sizeBytes, name);
          reads += 1;
        }
      }
    };
    const reading = read();
    try {
      await Promise.race([Promise.all([buildPages(folder), buildPages(folder)]), reading]);
    } finally {
      building = false;
    }
    await reading;
    assert.ok(reads > 0);
  });

  test('built pages: the list loads without the player, and both stay within their size budget', () => {
    const isPlayer = ({ path: name }: BuiltFile): boolean => /watch-page|hls\.worker/.test(name);
    const gzip = (some: readonly BuiltFile[]): number =>
      some.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
    const list = gzip(files.filter((file) => !isPlayer(file)));
    const watch = gzip(files);
    assert.equal(files.filter(isPlayer).length, 2);
    assert.ok(list <= budget.listGzipBytes, `list: ${list}`);
    assert.ok(watch <= budget.watchGzipBytes, `watch: ${watch}`);
  });
});
