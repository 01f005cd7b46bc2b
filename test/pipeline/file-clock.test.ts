import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { endOfFileRun, startOfFileRun } from '../../lib/pipeline/jobs/split-file/file-clock.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge } from '../support/outcomes.ts';

test('runs of a file follow each other without a break; another file begins now, or where the one before ends', async (t) => {
  const engine = await testEngine(t);
  const { deps, records, clock } = engine;
  const stream = newStream('show', START_MS);
  await records.createStream(stream);
  const startMs = async (follows?: string) => {
    const at = await startOfFileRun(deps, stream, 4000, follows);
    return at && at - START_MS;
  };
  assert.equal(await startMs(), undefined, 'the first one begins with its arrival');
  // Cut in a moment, and 12 s long.
  for (const number of [0, 1, 2]) await acknowledge(engine, stream, 1, number);
  assert.equal(await startMs('session-1'), 12_000);
  assert.equal(await startMs(), 12_000);
  clock.nowMs += 60_000;
  assert.equal(await startMs('session-1'), 12_000);
  assert.equal(await startMs(), 56_000);
});

test('where a run of a file ends in the file is told by its newest segment', async (t) => {
  const engine = await testEngine(t);
  const stream = newStream('show', START_MS);
  await engine.records.createStream(stream);
  const run = { session: 'session-1', fromSeconds: 100 };
  assert.equal(await endOfFileRun(engine.deps, stream, run), undefined);
  for (const number of [0, 1, 2, 3]) await acknowledge(engine, stream, 1, number);
  // Segments of files are 10 s late, of these four the last ends at 16 s.
  assert.deepEqual(await endOfFileRun(engine.deps, stream, run), { number: 3, seconds: 106 });
});
