import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at, clip, playlistOf, pushTo } from '../support/push.ts';

/** Names that encoders give to segments that follow one another. */
const SERIES: Readonly<Record<string, readonly string[]>> = {
  'by date with underscores': [0, 2, 4, 6].map((s) => `2026-11-26_10-00-0${s}.ts`),
  'by compact date': [0, 2, 4, 6].map((s) => `segment_20261126T10000${s}Z.ts`),
  'by compact date with milliseconds': [0, 2, 4, 6].map((s) => `20261126T10000${s}.12${s}Z.ts`),
  'by date over midnight': [
    ...['2026-12-31_23-59-56.ts', '2026-12-31_23-59-58.ts'],
    ...['2027-01-01_00-00-00.ts', '2027-01-01_00-00-02.ts'],
  ],
  'by date with the day first': [0, 2, 4, 6].map((s) => `26-11-2026 10-00-0${s}.ts`),
  'by date in folders': [0, 2, 4, 6].map((s) => `2026/11/26/10/00-0${s}.ts`),
  'by Unix time': [0, 2, 4, 6].map((s) => `176414760${s}.ts`),
  'by Unix time with a fraction': ['0.5', '2.47', '4.51', '6.5'].map((s) => `cam-176414760${s}.ts`),
  'by nanoseconds': [0, 2, 4, 6].map((s) => `176414760${s}123456789.ts`),
  'with size and rate behind': [8, 9, 10, 11].map((n) => `live_${n}_1920x1080_5000k.ts`),
  'with size, codec and rate in front': [8, 9, 10, 11].map((n) => `1080p60_h264_6M_${n}.ts`),
  'with two counters': ['0_7', '1_8', '2_9', '3_10'].map((n) => `part${n}.ts`),
  'with a counter that starts over in a folder': ['a/9.ts', 'b/0.ts', 'b/1.ts', 'b/2.ts'],
  'of three digits that go on': [998, 999, 1000, 1001].map((n) => `seg${n}.ts`),
  'of three digits that start over': ['998', '999', '000', '001'].map((n) => `seg${n}.ts`),
  'of two digits that start over': ['98', '99', '00', '01'].map((n) => `seg${n}.ts`),
  'that start over soon': [3, 4, 0, 1].map((n) => `seg${n}.ts`),
  'from a high number': [0, 1, 2, 3].map((n) => `live${1_764_147_600_000_000 + n}.ts`),
  'from a number that no number holds': [0, 1, 2, 3].map((n) => `9${'0'.repeat(30)}${n}.ts`),
  'in hexadecimal': ['8', '9', 'a', 'b'].map((n) => `seg-00f${n}.ts`),
  'by letters': ['a', 'b', 'c', 'd'].map((n) => `seg-${n}.ts`),
  'counted by tens': [0, 10, 20, 30].map((n) => `seg-${n}.ts`),
  'of OBS': [0, 1, 2, 3].map((n) => `2026-11-26 10-00-00${n}.ts`),
  'of GStreamer': [0, 1, 2, 3].map((n) => `segment0000${n}.ts`),
  'of Shaka Packager by number': [1, 2, 3, 4].map((n) => `h264_720p_${n}.ts`),
  'of Shaka Packager by time': [0, 180_000, 360_000, 540_000].map((n) => `video_${n}.ts`),
  'of GPAC': [0, 1, 2, 3].map((n) => `live_dash_track1_${n}.ts`),
  'of Bento4': [0, 1, 2, 3].map((n) => `media-1/segment-${n}.ts`),
  'of Wowza': [7, 8, 9, 10].map((n) => `media_w1876543210_b2096000_${n}.ts`),
  'of Nimble': [0, 1, 2, 3].map((n) => `l_12_${2000 * n}_${n}.ts`),
  'of Teradek': [0, 1, 2, 3].map((n) => `teradek-0a1b2c_0000${n}_2002.ts`),
  'with letters of many scripts': [0, 1, 2, 3].map((n) => `생방송 эфир ${n}.ts`),
  'with digits of another script': ['٠', '١', '٢', '٣'].map((n) => `بث-${n}.ts`),
  'with an extension that an uploader takes off': [0, 1, 2, 3].map((n) => `seg${n}.ts.tmp`),
  'without an extension': [0, 1, 2, 3].map((n) => `chunk-${n}`),
};

type When = 'without a playlist' | 'each before its playlist' | 'each after its playlist';
const WHEN: readonly When[] = [
  'without a playlist',
  'each before its playlist',
  'each after its playlist',
];

describe('files that follow one another', () => {
  for (const [kind, names] of Object.entries(SERIES)) {
    for (const when of WHEN) {
      test(`${kind}, ${when}, are one run in order`, async (t) => {
        const { push, pushAny, records, stream, numbersOf, runCount } = await pushTo(t);
        const segments = (await clip()).slice(0, names.length);
        for (const [index, bytes] of segments.entries()) {
          const first = Math.max(0, index - 2);
          const listed = names.slice(first, index + 1).map((name) => name.replace('.tmp', ''));
          const playlist = playlistOf(listed.map(encodeURI), { first });
          if (when === 'each after its playlist') await pushAny('live.m3u8', playlist);
          await push(at(names, index), bytes);
          if (when === 'each before its playlist') await pushAny('live.m3u8', playlist);
        }
        assert.equal(await runCount(), 1);
        const numbers = await numbersOf(1);
        const starts: number[] = [];
        for (const number of numbers) {
          const { facts } = (await records.findSegment(stream, 1, number)) ?? assert.fail();
          starts.push(facts.startTicks);
        }
        assert.equal(numbers.length, names.length, `${numbers}`);
        assert.deepEqual(
          starts,
          starts.toSorted((a, b) => a - b),
          `${numbers}`,
        );
      });
    }
  }
});

test('a file that is renamed when it is whole is one segment', async (t) => {
  const { push, pushAny, numbersOf } = await pushTo(t);
  const segments = await clip();
  for (const index of [0, 1]) {
    const bytes = at(segments, index);
    assert.equal((await push(`seg${index}.ts.tmp`, bytes)).isNew, true);
    assert.equal((await push(`seg${index}.ts`, bytes)).isNew, false);
    await pushAny('live.m3u8.tmp', playlistOf(['seg0.ts', 'seg1.ts'].slice(0, index + 1)));
  }
  assert.deepEqual(await numbersOf(1), [0, 1]);
});

test('parts of segments are pushed beside them, and the segments are taken', async (t) => {
  const { push, pushAny, pushIgnored, numbersOf } = await pushTo(t);
  const segments = await clip();
  await push('seg0.ts', at(segments, 0));
  const part = (segment: number, index: number) =>
    `#EXT-X-PART:DURATION=1,URI="seg${segment}.${index}.ts"\n`;
  const list = (count: number, next: number) =>
    `${playlistOf(['seg0.ts', 'seg1.ts', 'seg2.ts'].slice(0, count))}\n${part(next, 0)}${part(next, 1)}`;
  await pushAny('live.m3u8', list(1, 1));
  for (const segment of [1, 2]) {
    for (const index of [0, 1]) {
      const bytes = at(segments, segment);
      assert.deepEqual(await pushIgnored(`seg${segment}.${index}.ts`, bytes), ['variant_ignored']);
    }
    await push(`seg${segment}.ts`, at(segments, segment));
    await pushAny('live.m3u8', list(segment + 1, segment + 1));
  }
  assert.deepEqual(await numbersOf(1), [0, 1, 2]);
});

test('the wall clock that a playlist tells is kept where it is plausible', async (t) => {
  const { push, pushAny, records, stream, clock } = await pushTo(t);
  const segments = await clip();
  const HOUR = 3_600_000;
  const said: readonly (readonly [what: string, offsetMs: number, kept: boolean])[] = [
    ['an hour ago', -HOUR, true],
    ['of a spool, weeks ago', -20 * 24 * HOUR, true],
    ['of a clock that was never set', -50 * 365 * 24 * HOUR, false],
    ['a moment ahead', 2000, true],
    ['of the future', HOUR, false],
  ];
  for (const [number, [what, offsetMs, kept]] of said.entries()) {
    await push(`seg${number}.ts`, at(segments, number));
    const toldMs = clock.nowMs + offsetMs;
    const tags = `#EXT-X-PROGRAM-DATE-TIME:${new Date(toldMs).toISOString()}`;
    await pushAny('live.m3u8', playlistOf([`seg${number}.ts`], { first: number, tags }));
    const hint = await records.segmentHint(stream, 1, number);
    assert.equal(hint?.programDateTimeMs, kept ? toldMs : undefined, what);
    assert.equal(hint?.seconds, 2, what);
  }
});
