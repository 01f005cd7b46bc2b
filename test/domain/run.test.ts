import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideRun, type RunQuestion, timeStartsOver } from '../../lib/domain/run.ts';
import type { Run } from '../../lib/domain/stream.ts';

const current: Run = {
  run: 1,
  session: '~1',
  explicit: false,
  firstNumber: 0,
  createdAtMs: 0,
  anchorTicks: 0,
  anchorMs: 0,
  audio: [],
};

const decide = (question: Partial<RunQuestion>) =>
  decideRun({ number: 8, digest: 'new', pushed: false, current, highestNumber: 7, ...question });

describe('encoder runs', () => {
  test('a number near the newest joins the run, early or late, and the same bytes are recognised', () => {
    assert.equal(decide({}), 'join');
    assert.equal(decide({ number: 3 }), 'join');
    assert.equal(decide({ number: 5, presentDigest: 'new' }), 'same_bytes');
    const { current: _, ...unknown } = { number: 0, digest: 'new', pushed: false, current };
    assert.equal(decideRun(unknown), 'new_run');
  });

  test('other bytes under a number are refused, unless the numbers start over', () => {
    assert.equal(decide({ number: 5, presentDigest: 'old' }), 'other_bytes');
    assert.equal(decide({ number: 0, presentDigest: 'old' }), 'new_run');
    assert.equal(decide({ number: 0, presentDigest: 'old', highestNumber: 0 }), 'other_bytes');
    assert.equal(decide({ number: 0, presentDigest: 'old', session: 'a' }), 'other_bytes');
    assert.equal(decide({ number: 5, presentDigest: 'old', pushed: true }), 'new_run');
    const late = { ...current, firstNumber: 1000 };
    assert.equal(decide({ number: 0, current: late, highestNumber: 1010 }), 'new_run');
    assert.equal(decide({ number: 990, current: late, highestNumber: 1010 }), 'join');
  });

  test('a number that no encoder can have reached is refused', () => {
    assert.throws(() => decide({ number: 10_008 }), { code: 'number_too_far' });
    assert.equal(decide({ number: 10_007 }), 'join');
    assert.equal(decide({ number: 1_800_000_000, pushed: true }), 'new_run');
  });
});

test('encoder runs: a later number with an earlier time starts a new run', () => {
  const newest = { number: 7, startTicks: 2_000_000 };
  assert.equal(timeStartsOver(8, 1_000_000, newest), true);
  assert.equal(timeStartsOver(8, 1_990_000, newest), false);
  assert.equal(timeStartsOver(6, 1_000_000, newest), false);
});
