import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StreamView } from '../../lib/api/messages.ts';
import {
  type Holdup,
  holdupOf,
  patienceMs,
  type Stall,
  type Supply,
  type SupplyReport,
  supplyOf,
} from '../../web/shared/supply.ts';
import { behindLiveSeconds, clockOffsetMs, type LivePosition } from '../../web/watch/live-delay.ts';
import { loadShareOf, type SegmentLoad } from '../../web/watch/segment-loads.ts';
import { type PlayerFacts, watchSupply } from '../../web/watch/supply-watch.ts';

const NOON = Date.parse('2026-05-01T12:00:00Z');
const at = (seconds: number): string => new Date(NOON + seconds * 1000).toISOString();

/** A live stream with a target duration of two seconds at noon; times in seconds from then. */
const report = (
  uploadedAt: number,
  waiting?: Readonly<{ segments: number; since: number }>,
  state: StreamView['state'] = 'live',
): SupplyReport => ({
  state,
  targetDurationSeconds: 2,
  serverTime: at(0),
  newestUploadAt: at(uploadedAt),
  waitingSegments: waiting?.segments ?? 0,
  ...(waiting && { waitingSince: at(waiting.since) }),
});

describe('the supply of a stream', () => {
  const CASES: readonly [string, SupplyReport, string, string][] = [
    ['uploads come and are transcoded', report(-1.5), 'flowing', 'flowing'],
    ['one upload is two seconds late', report(-4), 'flowing', 'silent'],
    ['nothing was uploaded for 5.1 s', report(-5.1), 'silent', 'silent'],
    [
      'one segment is with a worker',
      report(-0.5, { segments: 1, since: -0.5 }),
      'flowing',
      'flowing',
    ],
    ['a segment waits for 3 s', report(-1, { segments: 2, since: -3 }), 'flowing', 'late'],
    ['segments wait for 20 s', report(-1, { segments: 10, since: -20 }), 'late', 'late'],
    [
      'the broadcaster is silent, and what it sent waits',
      report(-30, { segments: 4, since: -38 }),
      'late',
      'late',
    ],
    [
      'the broadcaster is back after a silence',
      report(-0.2, { segments: 1, since: -0.2 }),
      'flowing',
      'flowing',
    ],
    ['the broadcaster has ended it', report(-3, undefined, 'ended'), 'over', 'over'],
    [
      'it has ended, and the encoder is back with a segment',
      report(-0.5, { segments: 1, since: -0.5 }, 'ended'),
      'flowing',
      'flowing',
    ],
    ['nothing was ever uploaded', { state: 'created' }, 'flowing', 'flowing'],
    ['the server says no times', { state: 'live' }, 'flowing', 'flowing'],
    ["the server's clock was set back by an hour", report(3600), 'silent', 'silent'],
  ];
  for (const [what, said, expected, whenStarved] of CASES) {
    test(`supply: ${what}: ${expected}, and ${whenStarved} for a viewer who has played all`, () => {
      assert.equal(supplyOf(said).state, expected);
      assert.equal(supplyOf(said, true).state, whenStarved);
    });
  }

  test('supply: it says since when the broadcaster is silent, or the first segment waits', () => {
    assert.deepEqual(supplyOf(report(-35)), { state: 'silent', sinceMs: NOON - 35_000 });
    const late = report(-1, { segments: 9, since: -18 });
    assert.deepEqual(supplyOf(late), { state: 'late', sinceMs: NOON - 18_000 });
  });

  test('supply: longer segments are waited for longer', () => {
    assert.deepEqual([1, 2, 6, 10].map(patienceMs), [5000, 5000, 15_000, 25_000]);
  });
});

describe('whose fault a stall is', () => {
  const FLOWING: Supply = { state: 'flowing' };
  const SILENT: Supply = { state: 'silent', sinceMs: NOON };
  const LATE: Supply = { state: 'late', sinceMs: NOON };
  const OVER: Supply = { state: 'over' };
  const CASES: readonly [string, Stall, Supply, Holdup][] = [
    ['segments take longer than they last', stall(6, 2.6), FLOWING, 'viewer'],
    ['the line is slow and the broadcaster silent as well', stall(6, 2.6), SILENT, 'viewer'],
    ['the line is slow and the server late as well', stall(4, 1.1), LATE, 'viewer'],
    ['segments arrive fast after a jump', stall(6, 0.1), FLOWING, 'nobody'],
    ['all is played and nothing is uploaded', stall(0, 0.1), SILENT, 'broadcaster'],
    [
      'all is played over a slow line, and nothing is uploaded',
      stall(0.02, 1.4),
      SILENT,
      'broadcaster',
    ],
    ['all is played and segments wait for workers', stall(0, 0.1), LATE, 'server'],
    ['all is played and the broadcast has ended', stall(-0.02, 0.1), OVER, 'end'],
    ['all is played and the next segment is on its way', stall(0, 0.1), FLOWING, 'nobody'],
    ['a recording loads slowly', stall(Number.POSITIVE_INFINITY, 3), FLOWING, 'viewer'],
  ];
  for (const [what, stalled, supply, expected] of CASES) {
    test(`stall: ${what}: ${expected}`, () => {
      assert.equal(holdupOf(stalled, supply), expected);
    });
  }

  function stall(missingSeconds: number, loadShare: number): Stall {
    return { missingSeconds, loadShare };
  }
});

describe('loads of segments', () => {
  const load = (first: number, end: number, aborted = false): SegmentLoad => ({
    stats: { aborted, loading: { first, end } },
    durationSeconds: 2,
  });

  const CASES: readonly [string, SegmentLoad[], number][] = [
    ['none', [], 0],
    ['in half a second', [load(1000, 1500)], 0.25],
    ['in five seconds', [load(1000, 6000)], 2.5],
    ['for three seconds so far', [load(7000, 0)], 1.5],
    ['without an answer so far', [load(0, 0)], 0],
    ['until a seek', [load(1000, 0, true)], 0],
    ['slow audio beside a quick picture', [load(9000, 9200), load(1000, 5000)], 2],
  ];
  for (const [what, loads, expected] of CASES) {
    test(`segment load: ${what}: ${expected} of its duration`, () => {
      assert.equal(loadShareOf(loads, 10_000), expected);
    });
  }
});

describe('the delay behind live', () => {
  const CASES: readonly [string, LivePosition, number][] = [
    ['by the wall clock', { edgeSeconds: 6, shownAtMs: NOON - 8400 }, 8.4],
    ['without a wall clock', { edgeSeconds: 6 }, 6],
    [
      'at the end of a silent stream',
      { edgeSeconds: 0, shownAtMs: NOON - 40_000, quietSinceMs: NOON - 39_000 },
      40,
    ],
    [
      'of a silent stream without a wall clock',
      { edgeSeconds: 0, quietSinceMs: NOON - 39_000 },
      39,
    ],
    [
      "when the encoder's clock is an hour ahead",
      { edgeSeconds: 6, shownAtMs: NOON + 3_600_000 },
      6,
    ],
    ["when the encoder's clock was never set", { edgeSeconds: 6, shownAtMs: 0 }, 6],
    ['two hours back in the window', { edgeSeconds: 7200, shownAtMs: NOON - 7_203_000 }, 7203],
    ['past the end of the newest segment', { edgeSeconds: -0.02 }, 0],
  ];
  for (const [what, position, expected] of CASES) {
    test(`behind live: ${what}: ${expected} s`, () => {
      assert.equal(behindLiveSeconds(position, NOON), expected);
    });
  }

  test("behind live: a device's wrong clock is corrected, a cached answer is not taken for one", () => {
    assert.equal(clockOffsetMs(at(90), NOON), 90_000);
    assert.equal(clockOffsetMs(at(-3600), NOON), -3_600_000);
    assert.equal(clockOffsetMs(at(-1.9), NOON), 0);
    assert.equal(clockOffsetMs(undefined, NOON), 0);
  });
});

describe('watching the supply', () => {
  const stream = (said: SupplyReport): StreamView => ({
    ...{ videoId: 'a', title: 'a', durationSeconds: 60, hls: '', dash: '', renditions: [] },
    ...said,
  });
  const facts = (newestSegment: number, missingSeconds = 6): PlayerFacts => ({
    ...{ live: true, newestSegment, missingSeconds, targetDurationSeconds: 2 },
  });
  function start() {
    const clock = { nowMs: 0 };
    let asked = 0;
    const watch = watchSupply(
      () => {
        asked += 1;
      },
      () => clock.nowMs,
      () => 0.5,
    );
    return { clock, watch, asked: () => asked };
  }

  test('supply watch: a stream that grows costs no requests', () => {
    const { clock, watch, asked } = start();
    for (let segment = 10; segment < 100; segment += 1) {
      assert.equal(watch.observe(facts(segment), false).state, 'flowing');
      clock.nowMs += 2000;
    }
    assert.equal(asked(), 0);
  });

  test('supply watch: one that grows no more is asked about, and not for each observation', () => {
    const { clock, watch, asked } = start();
    for (; clock.nowMs <= 20_000; clock.nowMs += 250) watch.observe(facts(10), false);
    assert.equal(asked(), 8, 'from 5 s on, every 2 s');
  });

  test('supply watch: a viewer who has played all is told at once, one whose line is slow is not', () => {
    const starved = start();
    starved.watch.observe(facts(10, 0), true);
    assert.equal(starved.asked(), 1);
    const slow = start();
    slow.watch.observe(facts(10, 4), true);
    assert.equal(slow.asked(), 0);
  });

  test('supply watch: what the server said counts until the playlist grows, then it is asked again', () => {
    const { watch, asked } = start();
    watch.note(stream(report(-30)));
    assert.equal(watch.observe(facts(10), false).state, 'silent');
    const before = asked();
    assert.equal(watch.observe(facts(11), false).state, 'flowing');
    assert.equal(asked(), before + 1);
  });

  test('supply watch: a recording has no supply', () => {
    const { watch, asked } = start();
    watch.note(stream(report(-3000, undefined, 'ended')));
    assert.equal(watch.observe({ ...facts(10), live: false }, true).state, 'flowing');
    assert.equal(asked(), 0);
  });
});
