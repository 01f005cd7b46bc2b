import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Stream } from '../../lib/domain/stream.ts';
import type { TimelineState } from '../../lib/domain/timeline.ts';
import { queueWebmAhead } from '../../lib/pipeline/publish/webm-ahead.ts';
import { storedShow } from './stored-show.ts';

/** Files that jobs were queued for when the entries from a sequence on had been published. */
async function queuedFrom(
  t: TestContext,
  sequence: number,
  change: Readonly<{ webm?: Stream['settings']['webm']; state?: Partial<TimelineState> }> = {},
) {
  const { deps, stream, state } = await storedShow(t);
  const { webm = 'always' } = change;
  const after = { ...state, ...change.state };
  const settings = { ...stream.settings, webm };
  const before = { ...state, nextSequence: sequence };
  await queueWebmAhead(deps, { ...stream, settings }, before, after);
  const jobs = await deps.queues.backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
  return jobs.map(({ body }) => JSON.parse(body).key.replace(/^.*\/files\//, ''));
}

describe('WebM of a stream that has it always', () => {
  test('is made of each rung as soon as the next entry is there, whose sound reaches into it', async (t) => {
    assert.deepEqual(await queuedFrom(t, 3), ['1-0000000002-720000-360p-audio-01.webm']);
  });

  test('is made of all rungs of an entry, of none of a gap, and of the last one at the end', async (t) => {
    assert.deepEqual(await queuedFrom(t, 0, { state: { endedAtMs: 1 } }), [
      ...['720p', '480p', '360p'].map((name) => `1-0000000000-0-${name}-audio-00.webm`),
      '1-0000000002-720000-360p-audio-01.webm',
      '1-0000000003-1080000-360p-audio-10.webm',
    ]);
  });

  test('is not made ahead of any other stream', async (t) => {
    assert.deepEqual(await queuedFrom(t, 0, { webm: 'onDemand' }), []);
    assert.deepEqual(await queuedFrom(t, 0, { webm: 'never' }), []);
  });
});
