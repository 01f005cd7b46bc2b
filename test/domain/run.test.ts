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
    assert.equal(decide({ number: 5, present: { digest: 'new', ageMs: 0 } }), 'same_bytes');
    const { current: _, ...unknown } = { number: 0, digest: 'new', pushed: false, current };
    assert.equal(decideRun(unknown), 'new_run');
  });

  test('other bytes under a number are refused, unless the numbers start over', () => {
    assert.equal(decide({ number: 5, present: { digest: 'old', ageMs: 0 } }), 'other_bytes');
    assert.equal(decide({ number: 0, present: { digest: 'old', ageMs: 0 } }), 'new_run');
    assert.equal(
      decide({ number: 0, present: { digest: 'old', ageMs: 0 }, highestNumber: 0 }),
      'other_bytes',
    );
    assert.equal(
      decide({ number: 0, present: { digest: 'old', ageMs: 0 }, session: 'a' }),
      'other_bytes',
    );
    assert.equal(
      decide({ number: 5, present: { digest: 'old', ageMs: 0 }, pushed: true }),
      'new_run',
    );
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

describe('the first segment of a run that comes again with the same bytes', () => {
  const again = (question: Partial<RunQuestion>, ageMs: number) =>
    decide({ number: 0, present: { digest: 'new', ageMs }, ...question });

  for (const [title, question, ageMs, answer] of [
    ['is a retry soon after it came', { highestNumber: 2 }, 9000, 'same_bytes'],
    ['is a retry while it is one of the newest', { highestNumber: 2 }, 60_000, 'same_bytes'],
    ['is a restart when it is neither', { highestNumber: 3 }, 10_001, 'new_run'],
    ['is a retry in a session, whose encoder names it', { session: 'a' }, 60_000, 'same_bytes'],
    [
      'is a retry where several encoders send the same',
      { isRedundant: true },
      60_000,
      'same_bytes',
    ],
    [
      'is a retry right behind itself when pushed',
      { pushed: true, highestNumber: 0 },
      60_000,
      'same_bytes',
    ],
    [
      'is a retry beside the next one when pushed',
      { pushed: true, highestNumber: 1 },
      5000,
      'same_bytes',
    ],
    [
      'is a restart some seconds behind the next one when pushed',
      { pushed: true, highestNumber: 1 },
      5001,
      'new_run',
    ],
    [
      'is a restart two segments later when pushed',
      { pushed: true, highestNumber: 2 },
      0,
      'new_run',
    ],
    [
      'is a restart behind a later one when the run was ended',
      { isEnded: true, highestNumber: 1 },
      0,
      'new_run',
    ],
    [
      'is a restart later on when it was the only one of a run that was ended',
      { isEnded: true, highestNumber: 0 },
      10_001,
      'new_run',
    ],
  ] as const) {
    test(title, () => assert.equal(again(question, ageMs), answer));
  }

  test('and any other one is a retry', () => {
    assert.equal(again({ number: 1, pushed: true, isEnded: true }, 60_000), 'same_bytes');
  });
});

test('encoder runs: a later number with an earlier time starts a new run', () => {
  const newest = { number: 7, startTicks: 2_000_000 };
  assert.equal(timeStartsOver(8, 1_000_000, newest), true);
  assert.equal(timeStartsOver(8, 1_990_000, newest), false);
  assert.equal(timeStartsOver(6, 1_000_000, newest), false);
});
