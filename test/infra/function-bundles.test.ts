import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type BundledFunction,
  bundleFunctions,
} from '../../lib/infra/bundling/function-bundles.ts';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import budgets from './bundle-budgets.json' with { type: 'json' };

type Exceptions = Readonly<Record<string, Readonly<{ KB: number; why: string }>>>;

describe('function bundles', () => {
  let folder = '';
  let bundles: readonly BundledFunction[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rivulet-bundles-'));
    bundles = await bundleFunctions(join(folder, 'functions'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('each function of the table has a bundle, with nothing in it but code', async () => {
    const expected = Object.keys(FUNCTION_TABLE).toSorted();
    assert.deepEqual(bundles.map(({ name }) => name).toSorted(), expected);
    for (const { name, folder: one, sizeBytes } of bundles) {
      const files = await readdir(one);
      assert.ok(files.includes('index.mjs') && files.every((file) => file.endsWith('.mjs')), name);
      const sizes = await Promise.all(
        files.map(async (file) => (await stat(join(one, file))).size),
      );
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        sizeBytes,
        name,
      );
    }
  });

  test('each bundle stays within its budget, and an exception gives its reason', () => {
    const limitBytes = budgets.KB * 1000;
    const exceptions: Exceptions = budgets.whole;
    for (const { name, startBytes, sizeBytes } of bundles) {
      // What a cold start waits for; there is no reason for more.
      assert.ok(startBytes <= limitBytes, `${name} starts with ${startBytes}`);
      const exception = exceptions[name];
      const allowedBytes = exception ? exception.KB * 1000 : limitBytes;
      assert.ok(sizeBytes <= allowedBytes, `${name}: ${sizeBytes}`);
      // A budget that nobody needs any more hides the next growth.
      assert.ok(!exception || sizeBytes > limitBytes, `${name} fits into ${budgets.KB} KB`);
    }
    for (const { KB, why } of Object.values(exceptions)) {
      assert.ok(KB > budgets.KB && why.length > 20);
    }
  });

  test('a bundle that is built again elsewhere has the same bytes', async () => {
    const again = await bundleFunctions(join(folder, 'deep', 'er', 'again'));
    for (const [index, { name, folder: one }] of bundles.entries()) {
      const other = again[index]?.folder ?? '';
      assert.deepEqual(await readdir(one), await readdir(other));
      for (const file of await readdir(one)) {
        const [first, second] = await Promise.all(
          [one, other].map((where) => readFile(join(where, file))),
        );
        assert.ok(second && first?.equals(second), `${name}/${file}`);
      }
    }
  });

  test('a bundle that starts in a bare environment lacks a setting, not a module', async () => {
    for (const { name, folder: one } of bundles) {
      await assert.rejects(
        import(join(one, 'index.mjs')),
        (error: Error) =>
          error.name === 'ConfigError' && /AWS_REGION is not set/.test(error.message),
        name,
      );
    }
  });
});
