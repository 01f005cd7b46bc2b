/** Runs the tests: `test/run.ts [pattern…] [node option…]`. A pattern is a part of a file's path. */

import { globSync } from 'node:fs';
import { constants } from 'node:os';
import { join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { killMarked, MARK, watchLeftovers } from './support/leftovers.ts';

/** Two test files at a time, of which one at most drives a whole system or a browser: those mostly wait. */
const CONCURRENCY = 2;
const SYSTEM_TESTS = [`test${sep}e2e${sep}`, `test${sep}web${sep}`];
/** How many of the slowest files are named at the end. */
const SLOWEST = 15;

const TEST_TIMEOUT_MS = 180_000;
const FILE_TIMEOUT_MS = 15 * 60_000;

const root = join(import.meta.dirname, '..');
const options = process.argv.slice(2).filter((arg) => arg.startsWith('-'));
const patterns = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));

type TestEvent = Readonly<{ type: string; data: Record<string, unknown> }>;

const counts = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const notRun: string[] = [];
const seconds = new Map<string, number>();
const leftovers: string[] = [];

/** One file's events, as they come. */
async function* testFile(file: string): AsyncGenerator<TestEvent> {
  const mark = `${process.pid}:${file}`;
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort(new Error(`${file} was still running after ${FILE_TIMEOUT_MS} ms`));
    killMarked(mark);
  }, FILE_TIMEOUT_MS);
  // Its standard output may be open in a process it left behind: without the watch we would wait for that.
  const watch = watchLeftovers(mark);
  try {
    const events = run({
      files: [join(root, file)],
      execArgv: [`--test-timeout=${TEST_TIMEOUT_MS}`, ...options],
      env: { ...process.env, [MARK]: mark },
      signal: timeout.signal,
    });
    for await (const event of events as AsyncIterable<TestEvent>) {
      count(event);
      if (!isTotal(event)) yield event;
    }
  } finally {
    clearTimeout(timer);
    for (const command of await watch.end()) leftovers.push(`${file} left behind: ${command}`);
  }
}

async function collect(file: string): Promise<readonly [string, TestEvent[]]> {
  const startMs = Date.now();
  const events: TestEvent[] = [];
  for await (const event of testFile(file)) events.push(event);
  seconds.set(file, (Date.now() - startMs) / 1000);
  return [file, events];
}

/** Files side by side, each file's events together. */
async function* sideBySide(files: readonly string[]): AsyncGenerator<TestEvent> {
  const waiting = [...files];
  const running = new Map<string, Promise<readonly [string, TestEvent[]]>>();
  while (waiting.length > 0 || running.size > 0) {
    const file = running.size < CONCURRENCY ? takeNext(waiting, [...running.keys()]) : undefined;
    if (file !== undefined) {
      running.set(file, collect(file));
      continue;
    }
    const [done, events] = await Promise.race(running.values());
    running.delete(done);
    yield* events;
  }
}

/** Tests of whole systems first, as they take longest. */
function takeNext(waiting: string[], running: readonly string[]): string | undefined {
  const mayBeSystem = !running.some(isSystemTest);
  const chosen =
    (mayBeSystem && waiting.find(isSystemTest)) || waiting.find((file) => !isSystemTest(file));
  if (chosen) waiting.splice(waiting.indexOf(chosen), 1);
  return chosen;
}

const isSystemTest = (file: string): boolean =>
  SYSTEM_TESTS.some((folder) => file.startsWith(folder));

function count({ type, data }: TestEvent): void {
  if (type === 'test:summary' && data.file === undefined) {
    const ofFile = data.counts as typeof counts;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) counts[key] += ofFile[key];
    return;
  }
  const reason = data.skip ?? data.todo;
  if ((type === 'test:pass' || type === 'test:fail') && reason !== undefined && reason !== false) {
    notRun.push(`${data.name}${typeof reason === 'string' ? ` (${reason})` : ''}`);
  }
}

/** Totals of one file, in place of which ours come at the end. */
const isTotal = ({ type, data }: TestEvent): boolean =>
  (type === 'test:summary' || type === 'test:diagnostic') && data.file === undefined;

const isWanted = (file: string): boolean =>
  patterns.length === 0 ||
  patterns.some((pattern) => file.includes(join(pattern.replace(/\*.*$/, ''))));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killMarked(`${process.pid}:`);
    process.exit(128 + constants.signals[signal]);
  });
}

const startMs = Date.now();
const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => isWanted(file))
  .sort();

for await (const text of Readable.from(sideBySide(files)).compose(spec())) {
  process.stdout.write(text);
}

const isCi = process.env.CI === 'true';
const failures = [
  ...(files.length === 0
    ? [`no test file matches ${patterns.join(' ') || 'test/**/*.test.ts'}`]
    : []),
  ...(counts.failed + counts.cancelled > 0 ? [`${counts.failed + counts.cancelled} failed`] : []),
  ...leftovers,
  ...(isCi && notRun.length > 0 ? ['with CI=true no test may be skipped'] : []),
];
for (const name of notRun) console.log(`not run: ${name}`);
for (const failure of failures) console.log(`FAILED: ${failure}`);
const slowest = [...seconds].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
if (files.length > 1) {
  console.log(`The slowest: ${slowest.map(([file, s]) => `${file} ${s.toFixed(0)} s`).join(', ')}`);
}
console.log(`${files.length} files in ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
const { passed, failed, cancelled, skipped, todo } = counts;
// As node's own runner closes, and in one line for people.
console.log(
  `\u2139 tests ${counts.tests}\n\u2139 pass ${passed}\n\u2139 fail ${failed + cancelled}`,
);
console.log(`${passed} passed, ${failed + cancelled} failed, ${skipped + todo} skipped`);
process.exitCode = failures.length > 0 ? 1 : 0;
