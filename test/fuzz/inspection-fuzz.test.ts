import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { damagedBody, makeWholeBodies } from './bodies.ts';
import { fuzzInspection } from './fuzz-inspection.ts';

/** Fixed, so that a failure is one of the change; `npm run fuzz` goes on to others. */
const SEED = 1;
const BODIES = 1500;
/** Each may take the whole deadline: the test still ends within a minute. */
const MAX_FAULTS = 8;

describe('damaged bodies', () => {
  test('are taken or refused by the inspection, in time and within its memory', async () => {
    const report = await fuzzInspection({ seed: SEED, bodies: BODIES, maxFaults: MAX_FAULTS });
    assert.deepEqual(report.faults, []);
    const { taken = 0 } = report.outcomes;
    // Neither so harmless that all are read, nor so broken that the first check refuses them.
    assert.ok(taken > BODIES / 10 && taken < BODIES * 0.9, `${taken} are taken`);
    assert.ok(Object.keys(report.outcomes).length >= 5);
  });

  test('are the same for the same seed', async () => {
    const whole = await makeWholeBodies();
    for (let seed = 0; seed < 100; seed += 1) {
      assert.deepEqual(damagedBody(whole, seed), damagedBody(whole, seed));
    }
  });
});
