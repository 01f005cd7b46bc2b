import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Role } from '../../bin/estimate/costs.ts';
import { deployedIdleResources } from '../../bin/estimate/idle-resources.ts';
import { perRun, type Work } from '../../bin/estimate/meter.ts';
import { measureWork } from '../../bin/estimate/run.ts';

/** What a segment costs in operations; `npm run estimate` says what that is in dollars. */
describe('operations of a segment', () => {
  const RUNGS = 2;
  const SEGMENTS = 3;
  let work: Readonly<Record<Role, Work>>;
  before(async () => {
    work = await measureWork({
      segments: SEGMENTS,
      segmentSeconds: 2,
      rungs: RUNGS,
      languages: 1,
      before: 2,
    });
  });
  const one = (role: Role) => perRun(work[role]).usage;

  test('a segment passes each step once', () => {
    const runs = Object.fromEntries(Object.entries(work).map(([role, { runs }]) => [role, runs]));
    assert.deepEqual(runs, {
      upload: SEGMENTS,
      transcode: SEGMENTS,
      publish: SEGMENTS,
      housekeeping: 1,
      housekeepingPublish: 1,
      scale: 1,
      // Three renditions, asked for twice a segment.
      playlist: SEGMENTS * 3 * 2,
    });
  });

  test('a segment is written to the record store as often as it must be', () => {
    // Its record and its number in one transaction.
    assert.equal(one('upload').writeUnits, 4);
    // Its outcome.
    assert.ok(one('transcode').writeUnits <= 2);
    // Its entry and the head, which grows with the number of renditions, in one transaction.
    assert.ok(one('publish').writeUnits <= 8);
    // When the next one is due.
    assert.equal(one('housekeeping').writeUnits, 1);
    for (const role of ['housekeepingPublish', 'playlist'] as const) {
      assert.equal(one(role).writeUnits, 0, role);
    }
  });

  test('its source and each rendition are stored once, and no init segment again', () => {
    assert.equal(one('upload').mediaPuts, 1);
    // With its thumbnails, and the poster of the first.
    assert.equal(Math.round(one('transcode').mediaPuts * SEGMENTS), (RUNGS + 2) * SEGMENTS + 1);
    assert.equal(one('transcode').mediaGets, 1);
    assert.equal(one('publish').mediaPuts + one('playlist').mediaGets, 0);
  });

  test('it makes one job and one outcome, and no other queue request', () => {
    assert.deepEqual([one('upload').standardRequests, one('upload').fifoRequests], [1, 0]);
    // Received and acknowledged; the publisher is notified of the outcome.
    assert.deepEqual([one('transcode').standardRequests, one('transcode').fifoRequests], [2, 1]);
    // Lambda's own receiving and deleting.
    assert.deepEqual([one('publish').standardRequests, one('publish').fifoRequests], [0, 2]);
  });

  test('it is read for no more units than it is now', () => {
    assert.ok(one('upload').readUnits <= 10, `upload ${one('upload').readUnits}`);
    assert.ok(one('transcode').readUnits <= 9, `transcode ${one('transcode').readUnits}`);
    assert.ok(one('publish').readUnits <= 12, `publish ${one('publish').readUnits}`);
    assert.ok(one('playlist').readUnits <= 2.5, `playlist ${one('playlist').readUnits}`);
    assert.ok(one('housekeeping').readUnits <= 7, `housekeeping ${one('housekeeping').readUnits}`);
    assert.ok(
      one('housekeepingPublish').readUnits <= 8,
      `housekeepingPublish ${one('housekeepingPublish').readUnits}`,
    );
  });
});

test('idle deployment: nothing in it is billed by the hour', () => {
  const { unknownHourly, alarmMetrics, ...parts } = deployedIdleResources();
  assert.deepEqual(unknownHourly, []);
  assert.ok(alarmMetrics > 5 && alarmMetrics <= 21, String(alarmMetrics));
  assert.deepEqual(parts, {
    secrets: 1,
    dashboards: 1,
    standardQueuePollers: 6,
    fifoQueuePollers: 2,
    // Scaling every five minutes, and retention every six hours.
    scheduledRunsPerMonth: 8760 + 730 / 6,
  });
});
