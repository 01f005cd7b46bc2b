import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BundledFunction, bundleFunctions } from '../../lib/infra/function-bundles.ts';
import { FUNCTION_TABLE } from '../../lib/infra/function-table.ts';
import budgets from './bundle-budgets.json' with { type: 'json' };

type More = Readonly<Record<string, Readonly<{ KB: number; why: string }>>>;

describe('the bundles of the functions', () => {
  let folder = '';
  let bundles: readonly BundledFunction[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rivulet-bundles-'));
    bundles = await bundleFunctions(join(folder, 'functions'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('are one for each function of the table, and nothing but the code', async () => {
    const expected = [...Object.keys(FUNCTION_TABLE), 'scale'].toSorted();
    assert.deepEqual(bundles.map(({ name }) => name).toSorted(), expected);
    for (const { folder: one } of bundles) assert.deepEqual(await readdir(one), ['index.mjs']);
  });

  test('stay within their budgets, and who has more says why', () => {
    const more: More = budgets.more;
    for (const { name, sizeBytes } of bundles) {
      const kilobytes = more[name]?.KB ?? budgets.KB;
      assert.ok(sizeBytes <= kilobytes * 1000, `${name}: ${sizeBytes}`);
      // A budget that nobody needs any more hides the next growth.
      const slack = more[name] ? sizeBytes >= budgets.KB * 1000 : true;
      assert.ok(slack, `${name} fits into ${budgets.KB} KB`);
    }
    for (const { KB, why } of Object.values(more)) assert.ok(KB > budgets.KB && why.length > 20);
  });

  test('are the same bytes when built again, wherever they lie', async () => {
    const again = await bundleFunctions(join(folder, 'deep', 'er', 'again'));
    for (const [index, { name, folder: one }] of bundles.entries()) {
      const [first, second] = await Promise.all([
        readFile(join(one, 'index.mjs')),
        readFile(join(again[index]?.folder ?? '', 'index.mjs')),
      ]);
      assert.ok(first.equals(second), name);
    }
  });

  test('start in a bare environment: what they lack is a setting, not a module', async (t) => {
    // mediabunny warns of a second copy of itself, which is what bundles in one process are.
    t.mock.method(console, 'warn', () => {});
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
