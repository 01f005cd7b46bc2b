import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { MARK } from '../support/leftovers.ts';
import { ROOT } from './repository-files.ts';

const GOOD = "import { test } from 'node:test'; test('is good', () => {});";
const BAD = "import { test } from 'node:test'; test('is bad', () => { throw new Error('no'); });";
const BROKEN = "import './nowhere.ts';";
const SKIPPED =
  "import { test } from 'node:test'; test('waits', { skip: 'no browser' }, () => {});";
const LEAKING = `
import { spawn } from 'node:child_process';
import { test } from 'node:test';
test('leaks', () => spawn('sleep', ['600'], { stdio: 'inherit', detached: true }).unref());
`;

/** Runs a project's tests as `npm test` does; answers what was printed and the exit code. */
async function runTests(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
) {
  const root = mkdtempSync(join(tmpdir(), 'rivulet-tests-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const sources = ['test/run.ts', 'test/support/leftovers.ts'];
  for (const path of sources) cpSync(join(ROOT, path), join(root, path), { recursive: true });
  for (const [path, source] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  // Neither our runner's context nor its mark: this is a run of its own.
  const { NODE_TEST_CONTEXT, [MARK]: mark, CI, ...rest } = process.env;
  const runner = spawn(process.execPath, [join(root, 'test', 'run.ts'), ...args], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(runner.stdout), once(runner, 'exit')]);
  return { output, code };
}

const lastLine = (output: string) => output.trim().split('\n').at(-1);

describe('the test runner', () => {
  test('a run fails for a failed test and for a file that does not load', async (t) => {
    const good = await runTests(t, { 'test/a.test.ts': GOOD, 'test/e2e/b.test.ts': GOOD });
    assert.equal(lastLine(good.output), '2 passed, 0 failed, 0 skipped');
    assert.equal(good.code, 0);

    const files = {
      'test/a.test.ts': GOOD,
      'test/deep/b.test.ts': BAD,
      'test/e2e/c.test.ts': BROKEN,
    };
    const all = await runTests(t, files);
    assert.equal(lastLine(all.output), '1 passed, 2 failed, 0 skipped');
    assert.equal(all.code, 1);

    const some = await runTests(t, files, ['test/a', './test/none']);
    assert.equal(lastLine(some.output), '1 passed, 0 failed, 0 skipped');
    assert.equal(some.code, 0);

    const none = await runTests(t, files, ['nothing']);
    assert.match(none.output, /no test file matches nothing/);
    assert.equal(none.code, 1);
  });

  test('a skipped test fails the run in CI', async (t) => {
    const files = { 'test/a.test.ts': GOOD, 'test/b.test.ts': SKIPPED };
    const atHome = await runTests(t, files);
    assert.match(atHome.output, /^not run: waits \(no browser\)$/m);
    assert.equal(lastLine(atHome.output), '1 passed, 0 failed, 1 skipped');
    assert.equal(atHome.code, 0);
    assert.equal((await runTests(t, files, [], { CI: 'true' })).code, 1);
  });

  test('a process that a test left running is reported and ended', async (t) => {
    if (process.platform !== 'linux') return;
    const { output, code } = await runTests(t, { 'test/a.test.ts': LEAKING });
    assert.match(output, /^FAILED: test\/a\.test\.ts left behind: sleep 600$/m);
    assert.equal(code, 1);
  });
});
