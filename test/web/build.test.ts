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
  let pages: readonly string[] = [];

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'rivulet-pages-'));
    files = await buildPages(folder);
    const html = files.map((file) => file.path).filter((name) => name.endsWith('.html'));
    assert.deepEqual(html, ['index.html', 'watch.html', 'embed.html', 'wall.html', 'studio.html']);
    pages = await Promise.all(html.map((name) => readFile(path.join(folder, name), 'utf8')));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('built pages: they have no inline script, style or handler, and nothing from another host', () => {
    for (const page of pages) {
      assert.doesNotMatch(page, /<script(?![^>]*\ssrc="\/assets\/)/);
      assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=|javascript:/i);
      const addresses = [...page.matchAll(/\s(?:src|href)="([^"]+)"/g)].map(([, one = '']) => one);
      assert.ok(addresses.length >= 3);
      for (const address of addresses) assert.match(address, /^\/(assets\/|wall$|$)/);
      assert.doesNotMatch(page, /\{\{/);
      assert.match(page, /Content-Security-Policy" content="default-src 'self'; /);
    }
  });

  test('built pages: names carry a hash of the content, and every file is listed', async () => {
    const onDisk = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
    assert.deepEqual(onDisk.toSorted(), files.map((file) => path.normalize(file.path)).toSorted());
    for (const file of files.slice(pages.length))
      assert.match(file.path, /^assets\/[\w.-]+-[A-Z0-9]{8}\.\w+$/);
    for (const [, name] of pages.join('').matchAll(/"\/(assets\/[^"]+)"/g)) {
      assert.ok(
        files.some((file) => file.path === name),
        name,
      );
    }
  });

  test('built pages: each can be installed as an app, with icons of the sizes that their names say', async () => {
    for (const page of pages) {
      assert.match(
        page,
        /<link rel="manifest" href="\/assets\/manifest-[A-Z0-9]{8}\.webmanifest">/,
      );
      assert.match(page, /theme-color" media="\(prefers-color-scheme: dark\)" content="#0e1415"/);
      assert.match(page, /; manifest-src 'self'; /);
    }
    const named = files.find((file) => file.path.endsWith('.webmanifest')) ?? assert.fail();
    const manifest = JSON.parse(await readFile(path.join(folder, named.path), 'utf8'));
    assert.deepEqual([manifest.id, manifest.start_url, manifest.display], ['/', '/', 'standalone']);
    const icons: { src: string; sizes: string; type: string; purpose?: string }[] = manifest.icons;
    assert.deepEqual(
      icons.map(({ sizes, type, purpose }) => [sizes, type, purpose]),
      [
        ['any', 'image/svg+xml', undefined],
        ['192x192', 'image/png', undefined],
        ['512x512', 'image/png', undefined],
        ['512x512', 'image/png', 'maskable'],
      ],
    );
    for (const { src, sizes, type } of icons) {
      const bytes = await readFile(path.join(folder, src));
      if (type !== 'image/png') continue;
      assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
      assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes);
    }
  });

  test('built pages: a second build gives the same files and removes those of an older one', async () => {
    await writeFile(path.join(folder, 'assets', 'watch-OLDOLDOL.js'), '');
    assert.deepEqual(await buildPages(folder), files);
    assert.equal((await readdir(path.join(folder, 'assets'))).length, files.length - pages.length);
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

  for (const [name, limit] of Object.entries(budget.gzipBytes)) {
    test(`built pages: ${name} stays within its size budget, with all that it loads`, async () => {
      const loaded = await loadedBy(name);
      const bytes = files
        .filter((file) => loaded.has(file.path))
        .reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
      assert.ok(bytes <= limit, `${bytes} of ${limit}: ${[...loaded].join(' ')}`);
    });
  }

  /** A page, and all files whose names are in it, and in those. */
  async function loadedBy(name: string): Promise<ReadonlySet<string>> {
    const loaded = new Set([`${name}.html`]);
    // A set that grows while it is walked.
    for (const file of loaded) {
      // Who installs the page loads its icons; a visit does not.
      if (file.endsWith('.webmanifest')) continue;
      const text = await readFile(path.join(folder, file), 'utf8');
      for (const other of files)
        if (text.includes(path.basename(other.path))) loaded.add(other.path);
    }
    return loaded;
  }
});
