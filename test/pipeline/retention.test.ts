import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { putMarkers } from '../../lib/pipeline/markers/edit-markers.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { showStream } from '../../lib/pipeline/streams.ts';
import { entryAt, parseTimestamp } from '../../lib/pipeline/view/moments.ts';
import { findMoment } from '../../lib/pipeline/view/segment-files/segment-moment.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { DAY_MS, type KeptShow, keptShow, numbersOf, shortNames } from '../support/kept-show.ts';

const HOUR_MS = 3_600_000;

async function mark(show: KeptShow, id: string, atMs: number, className = 'goal') {
  const { deps } = show.engine;
  const at = new Date(atMs).toISOString();
  await putMarkers(deps, show.stream, [{ id, class: className, at }]);
  await show.work();
}

describe('a recording under retention', () => {
  /** On the days 0, 1, 2, 4 and 5, with a marker at the beginning of 1; on the ninth day 0 to 2 expire. */
  async function expiring(t: TestContext) {
    const marked = [{ days: 30, beforeSeconds: 0, afterSeconds: 1 }];
    const show = await keptShow(await testEngine(t), { days: 7, marked });
    await show.air([0, 1, 2], DAY_MS);
    show.engine.clock.nowMs += DAY_MS;
    await show.air([3, 4], DAY_MS);
    await show.end();
    await mark(show, 'm1', START_MS + DAY_MS);
    show.engine.clock.nowMs = START_MS + 9 * DAY_MS + 4000;
    await show.retain();
    return show;
  }

  const WITH_HOLE = `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-DATERANGE:ID="m1",CLASS="goal",START-DATE="2026-01-02T00:00:00.000Z",DURATION=0
#EXT-X-MAP:URI="/media/show/u1/720p/init-iiiiiiiiiiiiiiiiiiiiiiii.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-02T00:00:00.000Z
#EXTINF:4,
/media/show/u1/720p/1-0000000001-bbbbbbbbbbbb.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/media/show/u1/720p/init-iiiiiiiiiiiiiiiiiiiiiiii.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-05T00:00:00.000Z
#EXTINF:4,
/media/show/u1/720p/1-0000000003-bbbbbbbbbbbb.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-06T00:00:00.000Z
#EXTINF:4,
/media/show/u1/720p/1-0000000004-bbbbbbbbbbbb.m4s
#EXT-X-ENDLIST
`;

  test('has what is left, behind a discontinuity where something was removed, at an address of its own', async (t) => {
    const show = await expiring(t);
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod&kept=1');
    assert.equal(await show.media('vod', 1), WITH_HOLE);
  });

  test('has nothing beside what was kept around a marker', async (t) => {
    const marked = [{ days: 30, beforeSeconds: 0, afterSeconds: 1 }];
    const show = await keptShow(await testEngine(t), { days: 7, marked });
    await show.air([0, 1, 2], 4000);
    await show.end();
    await mark(show, 'm1', START_MS + 5000);
    const moment = () => findMoment(show.engine.deps, 'show', '5');
    assert.deepEqual([(await moment()).before?.number, (await moment()).after?.number], [0, 2]);
    show.engine.clock.nowMs = START_MS + 9 * DAY_MS;
    await show.retain();
    assert.deepEqual([(await moment()).before, (await moment()).after], [undefined, undefined]);
  });

  test('stays as it was at its old address for half a day, and its objects for a whole one', async (t) => {
    const show = await expiring(t);
    assert.equal(numbersOf(await show.media('vod')), '0 1 2 3 4');
    const before = await show.objects();
    show.engine.clock.nowMs += 12 * HOUR_MS - 1;
    assert.equal(numbersOf(await show.media('vod')), '0 1 2 3 4');
    assert.equal(numbersOf(await show.media('live')), '0 1 2 3 4', 'nor did the live one change');
    show.engine.clock.nowMs += 1;
    for (const view of ['vod', 'live'] as const) {
      await assert.rejects(show.media(view), { query: '?view=vod&kept=1' });
    }
    show.engine.clock.nowMs += 12 * HOUR_MS - 1;
    await show.retain();
    assert.deepEqual(await show.objects(), before);
    show.engine.clock.nowMs += 1;
    await show.retain();
    assert.deepEqual(shortNames(await show.objects()), [
      ...['720p 1', '720p 3', '720p 4', '720p/init'],
      ...['poster 1', 'poster 3', 'poster 4', 'source 1', 'source 3', 'source 4'],
    ]);
    assert.equal(await show.media('vod', 1), WITH_HOLE);
  });

  test('says since when it is there, and what it takes in the store when objects are gone', async (t) => {
    const show = await expiring(t);
    const shown = async () => {
      const { recordedSince, recordedFromSeconds, durationSeconds, storageBytes } =
        await showStream(show.engine.deps, 'show');
      return [recordedSince, recordedFromSeconds, durationSeconds, storageBytes];
    };
    assert.deepEqual(await shown(), ['2026-01-02T00:00:00.000Z', 4, 20, 75]);
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(await shown(), ['2026-01-02T00:00:00.000Z', 4, 20, 45]);
  });

  test('keeps its times: a moment is where it was, or has expired, before and after its objects are gone', async (t) => {
    const show = await expiring(t);
    const { deps, clock } = show.engine;
    const at = async (timestamp: string) => {
      const entry = await entryAt(deps, show.stream, await show.state(), parseTimestamp(timestamp));
      return entry && [entry.number, entry.offsetTicks / 90_000];
    };
    const gone = {
      code: 'expired',
      hint: 'It has what was on air since 2026-01-02T00:00:00.000Z.',
    };
    for (const _ of ['waiting', 'gone']) {
      assert.deepEqual(await at('4'), [1, 4]);
      assert.deepEqual(await at('13'), [3, 12]);
      assert.deepEqual(await at('2026-01-05T00:00:01Z'), [3, 12]);
      assert.equal(await at('20'), undefined);
      for (const moment of ['3.9', '8', '11.9', '2026-01-01T00:00:01Z', '2026-01-03T00:00:00Z']) {
        await assert.rejects(at(moment), gone, moment);
      }
      assert.equal((await findMoment(deps, 'show', undefined)).entry.number, 4);
      clock.nowMs += DAY_MS;
      await show.retain();
    }
    await assert.rejects(at('0'), {
      message: 'This part of stream "show" has expired: recordings are kept for 7 days.',
    });
  });

  test('of which nothing is left is no stream without beginning, but one that has expired', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 });
    await show.air([0, 1, 2]);
    await show.end();
    show.engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    const expired = { code: 'expired', hint: 'Nothing of it is left.' };
    await assert.rejects(show.offered(), expired);
    await assert.rejects(show.media('vod'), expired);
    await assert.rejects(findMoment(show.engine.deps, 'show', undefined), expired);
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(shortNames(await show.objects()), ['720p/init']);
    assert.deepEqual(await show.recordsOf('segment', 'outcome', 'timeline', 'removal'), []);
    const { state, storageBytes, poster } = await showStream(show.engine.deps, 'show');
    assert.deepEqual([state, storageBytes, poster], ['ended', 0, undefined]);
    await show.air([3]);
    await show.end();
    assert.equal(numbersOf(await show.media('vod', 1)), '3');
    const { recordedFromSeconds } = await show.viewer.state('show');
    assert.equal(recordedFromSeconds, 12);
  });

  test('of pieces of one segment has all or none', async (t) => {
    const show = await keptShow(await testEngine(t), {
      ...{ days: 1, marked: [{ days: null, beforeSeconds: 0, afterSeconds: 0 }] },
    });
    await show.air([0]);
    await show.airCut(1, 3);
    await show.air([4]);
    await show.end();
    await mark(show, 'm1', START_MS + 4000 + 9000);
    show.engine.clock.nowMs += 3 * DAY_MS;
    await show.retain();
    assert.equal(numbersOf(await show.media('vod', 1)), '1 1 1');
  });
});

describe('a live playlist under retention', () => {
  test('begins later and keeps three target durations, whatever has expired', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 }, { dvrWindowSeconds: null });
    await show.air([0, 1, 2, 3, 4, 5]);
    const before = await show.media('live');
    assert.equal(before.includes('PLAYLIST-TYPE'), false, 'what may lose segments is no EVENT');
    assert.match(before, /#EXT-X-MEDIA-SEQUENCE:0\n/);
    assert.equal(numbersOf(before), '0 1 2 3 4 5');
    show.engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    const after = await show.media('live');
    assert.match(after, /#EXT-X-MEDIA-SEQUENCE:3\n/);
    assert.equal(numbersOf(after), '3 4 5');
    show.engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    await show.air([6, 7]);
    assert.equal(numbersOf(await show.media('live')), '3 4 5 6 7');
    await show.retain();
    const [first, ...others] = await show.recordsOf('timeline');
    assert.equal(first, 'timeline/0000000000000003');
    assert.equal(others.length, 4);
  });

  test('that was an EVENT before keeps everything until it has ended', async (t) => {
    const show = await keptShow(await testEngine(t), null, { dvrWindowSeconds: null });
    await show.air([0, 1, 2]);
    await show.keep({ days: 1 });
    show.engine.clock.nowMs += 2 * DAY_MS;
    await show.retain();
    await show.air([3]);
    assert.equal(numbersOf(await show.media('live')), '0 1 2 3');
    await show.end();
    await show.retain();
    assert.equal(numbersOf(await show.media('live')), '0 1 2 3', 'what has ended stays as it is');
    assert.equal(numbersOf(await show.media('vod', 1)), '3');
    await show.air([0, 1], 4000, 2);
    assert.equal(await show.offered(), 'show/720p.m3u8?broadcast=2');
    assert.equal(
      numbersOf((await show.viewer.media('show', '720p', 'live', 2)).document.text),
      '3 / 0 1',
    );
    show.engine.clock.nowMs += 12 * HOUR_MS;
    await assert.rejects(show.media('live'), { query: '?broadcast=2' });
  });
});

describe('retention', () => {
  test('leaves the poster that is shown until there is another', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 });
    await show.air([0], DAY_MS);
    for (const number of [1, 2]) {
      await show.acknowledge(number, 1);
      await show.settle(number, 1, 1, false);
    }
    await show.end();
    for (let run = 0; run < 2; run += 1) {
      show.engine.clock.nowMs = START_MS + (run + 1) * DAY_MS + 5000;
      await show.retain();
    }
    assert.deepEqual(shortNames(await show.objects()), [
      ...['720p 1', '720p 2', '720p/init', 'poster 0', 'source 1', 'source 2'],
    ]);
  });

  test('that is made longer brings back what waits for its removal, in the recording alone', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 });
    await show.air([0, 1, 2, 3], DAY_MS);
    await show.end();
    await show.retain();
    assert.equal(numbersOf(await show.media('vod', 1)), '3');
    await show.keep({ days: 3 });
    await show.retain();
    assert.equal(await show.offered(), 'show/720p.m3u8?view=vod&kept=3');
    assert.equal(numbersOf(await show.media('vod', 3)), '1 2 3');
    show.engine.clock.nowMs += 12 * HOUR_MS;
    await show.keep(null);
    await show.retain();
    assert.equal(numbersOf(await show.media('vod', 4)), '0 1 2 3');
    show.engine.clock.nowMs += 9 * DAY_MS;
    await show.retain();
    assert.equal((await show.objects()).length, 13);
    assert.equal((await show.state()).kept?.removals.length, 0);
  });

  test('removes nothing for good because the clock was a month ahead for a while', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 7 });
    await show.air([0, 1, 2]);
    await show.end();
    const { clock } = show.engine;
    clock.nowMs += 30 * DAY_MS;
    await show.retain();
    await assert.rejects(show.offered(), { code: 'expired' });
    clock.nowMs -= 30 * DAY_MS;
    await show.retain();
    assert.equal(numbersOf(await show.media('vod', 2)), '0 1 2');
    clock.nowMs += 2 * DAY_MS;
    await show.retain();
    assert.equal((await show.objects()).length, 10);
  });

  test('keeps what is marked while it waits for its removal', async (t) => {
    const marked = [{ class: 'goal', days: null, beforeSeconds: 0, afterSeconds: 0 }];
    const show = await keptShow(await testEngine(t), { days: 1, marked });
    await show.air([0, 1, 2], DAY_MS);
    await show.end();
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    await mark(show, 'm1', START_MS + DAY_MS);
    await mark(show, 'm2', START_MS, 'person');
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(
      shortNames(await show.objects()).filter((name) => name.startsWith('source')),
      ['source 1'],
    );
    const version = (await show.state()).kept?.version;
    assert.equal(numbersOf(await show.media('vod', version)), '1');
    assert.deepEqual(
      (await show.viewer.markers('show', {})).markers.map(({ id }) => id),
      ['m1'],
      'markers go with what they mark',
    );
  });

  test('frees the records of markers that have expired, but for the newest change', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 });
    await show.air([0, 1, 2], DAY_MS);
    await mark(show, 'a', START_MS);
    await mark(show, 'b', START_MS + 1000);
    await mark(show, 'c', START_MS + 2 * DAY_MS);
    await show.end();
    await show.retain();
    show.engine.clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(await show.recordsOf('marker', 'marker-change'), [
      'marker-change/0000000000000003',
      'marker/c',
    ]);
    assert.equal((await show.state()).expiredChanges, 2);
    await mark(show, 'a', START_MS + 3 * DAY_MS);
    const { markers, version } = await show.viewer.markers('show', {});
    assert.deepEqual([version, ...markers.map(({ id }) => id)], [4, 'a'], 'c has expired by now');
  });

  test('removes a segment that came late for what has expired, and its files', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 }, { holeGraceSeconds: 0 });
    const { clock, deps } = show.engine;
    await show.air([0]);
    await show.acknowledge(1, 1);
    clock.nowMs += 4000;
    await show.air([2]);
    clock.nowMs += 200_000;
    await show.publish();
    await show.end();
    clock.nowMs += 2 * DAY_MS;
    await show.retain();
    await show.settle(1, 1);
    assert.equal((await show.state()).lateArrivals, 0, 'the recording does not get it any more');
    await deps.media.put(
      'media/show/u1/files/1-0000000001-1260000-720p-none.mp4',
      Buffer.from('x'),
      'video/mp4',
    );
    clock.nowMs += DAY_MS;
    await show.retain();
    assert.deepEqual(shortNames(await show.objects()), ['720p/init']);
    assert.equal((await show.state()).storedBytes, 0);
  });

  test('of a late arrival hides it with its time, and shows it again with that', async (t) => {
    const show = await keptShow(await testEngine(t), { days: 1 }, { holeGraceSeconds: 0 });
    const { clock } = show.engine;
    await show.air([0]);
    await show.acknowledge(1, 1);
    clock.nowMs += 4000;
    await show.air([2]);
    clock.nowMs += 200_000;
    await show.publish();
    await show.settle(1, 1);
    await show.air([3], 4000);
    await show.end();
    assert.equal((await show.state()).lateArrivals, 1);
    clock.nowMs = START_MS + DAY_MS + 100_000;
    await show.retain();
    assert.equal((await show.state()).lateArrivals, 0);
    assert.equal(numbersOf(await show.media('vod', 1)), '3');
    await show.keep(null);
    await show.retain();
    assert.equal(numbersOf(await show.media('vod', 2)), '0 1 2 3');
  });

  test('requests are what the publish queue takes', () => {
    const request = { videoId: 'show', uid: 'u1', removals: true };
    assert.deepEqual(publishRequest.parse(request), request);
  });
});
