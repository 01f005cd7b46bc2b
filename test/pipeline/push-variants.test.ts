import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeSegments } from '../support/media.ts';
import { at, clip, largeClip, playlistOf, pushTo } from '../support/push.ts';

describe('variants that are pushed to one address:', () => {
  const small = clip;
  const NAMES: Readonly<Record<string, (variant: number, index: number) => string>> = {
    'in folders': (variant, index) => `v${variant}/seg${index}.ts`,
    'of ffmpeg': (variant, index) => `stream_${variant}_00${index}.ts`,
    'by height': (variant, index) => `${[720, 360][variant]}p_${index}.ts`,
    'by date': (variant, index) => `v${variant}/20261125-10150${2 * index}.ts`,
  };
  for (const [kind, nameOf] of Object.entries(NAMES)) {
    for (const [which, order] of [
      ['the larger picture first', [0, 1]],
      ['the larger picture last', [1, 0]],
    ] as const) {
      test(`${kind}, ${which}: the larger is kept, the other ignored`, async (t) => {
        const { pushAny, records, stream, numbersOf, runCount } = await pushTo(t);
        const clips = [await largeClip(), await small()];
        const results: string[] = [];
        for (let index = 0; index < 4; index += 1) {
          // Later on the requests of both arrive in any order.
          for (const variant of index === 2 ? [...order].reverse() : order) {
            const bytes = at(at(clips, variant), index);
            const result = (await pushAny(nameOf(variant, index), bytes)) ?? assert.fail();
            results.push('ignored' in result ? `${variant} ignored` : `${variant} taken`);
          }
        }
        const first = (await numbersOf(1))[0] ?? assert.fail();
        assert.deepEqual(await numbersOf(1), [first, first + 1, first + 2, first + 3]);
        assert.equal(await runCount(), 1);
        for (const number of await numbersOf(1)) {
          const { facts } = (await records.findSegment(stream, 1, number)) ?? assert.fail();
          assert.equal(facts.video?.heightPx, 72, `${number}`);
        }
        assert.equal((await records.getRun(stream, 1))?.picture?.heightPx, 72);
        const ignored = results.filter((one) => one === '1 ignored').length;
        assert.equal(ignored, which.endsWith('first') ? 4 : 3, results.join(', '));
      });
    }
  }

  test('that come all at once: one is kept whole, and nothing is shown twice', async (t) => {
    const clips = [await largeClip(), await small()];
    for (let round = 0; round < 5; round += 1) {
      const { pushAny, records, stream, numbersOf, runCount } = await pushTo(t);
      const files = [0, 1, 2, 3].flatMap((index) =>
        [0, 1].map((variant) => pushAny(`v${variant}/s${index}.ts`, at(at(clips, variant), index))),
      );
      await Promise.all(files);
      assert.equal(await runCount(), 1);
      const numbers = await numbersOf(1);
      const segments = await Promise.all(numbers.map((one) => records.findSegment(stream, 1, one)));
      const heights = new Set(segments.map((segment) => segment?.facts.video?.heightPx));
      assert.deepEqual([segments.length, heights.size], [4, 1]);
      assert.equal(new Set(segments.map((segment) => segment?.facts.startTicks)).size, 4);
    }
  });

  test('a smaller one that is listed already is followed by a run of the larger', async (t) => {
    const { push, pushIgnored, completed, numbersOf } = await pushTo(t);
    const [large, little] = [await largeClip(), await small()];
    await push('v1/seg0.ts', at(little, 0));
    await completed(0);
    await push('v0/seg0.ts', at(large, 0));
    assert.deepEqual(await pushIgnored('v1/seg1.ts', at(little, 1)), ['variant_ignored']);
    await push('v0/seg1.ts', at(large, 1));
    assert.equal((await numbersOf(1)).length, 1);
    assert.equal((await numbersOf(2)).length, 2);
  });

  test('the multivariant playlist decides where it came first', async (t) => {
    const { push, pushAny, pushIgnored } = await pushTo(t);
    const [large, little] = [await largeClip(), await small()];
    await pushAny(
      'master.m3u8',
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv0/live.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nv1/live.m3u8\n',
    );
    await push('v1/seg0.ts', at(little, 0));
    assert.deepEqual(await pushIgnored('v0/seg0.ts', at(large, 0)), ['variant_ignored']);
  });

  test('sound alone beside the picture is ignored, whichever comes first', async (t) => {
    const { push, pushIgnored, records, stream, numbersOf } = await pushTo(t);
    const sound = await clip({ video: 'none' });
    const picture = await clip();
    await push('audio_0.ts', at(sound, 0));
    await push('video_0.ts', at(picture, 0));
    assert.deepEqual(await pushIgnored('audio_1.ts', at(sound, 1)), ['variant_ignored']);
    await push('video_1.ts', at(picture, 1));
    assert.deepEqual(await numbersOf(1), [0, 1]);
    for (const number of [0, 1]) {
      assert.ok((await records.findSegment(stream, 1, number))?.facts.video, `${number}`);
    }
  });

  /** Order in which the files of a picture (p) and of sound (s) are handled when requests overtake each other. */
  const ORDERS = [
    'p0 s1 p1 s0 p2 s2',
    'p0 p1 s2 s0 p2 s1',
    's0 s1 p0 p1 s2 p2',
    's1 p0 s0 p1 p2 s2',
  ];
  for (const playlistsFirst of [true, false]) {
    for (const order of ORDERS) {
      const how = playlistsFirst ? 'behind their playlists' : 'without playlists';
      test(`a picture and its sound, sent as ${order} ${how}: every picture is kept, and no sound afterwards`, async (t) => {
        const { push, pushAny, records, stream } = await pushTo(t);
        const clips = { p: await clip(), s: await clip({ video: 'none' }) };
        const nameOf = (kind: string, index: number) => `s${kind === 'p' ? 0 : 1}_${index}.ts`;
        if (playlistsFirst) {
          await pushAny('s1.m3u8', playlistOf([nameOf('s', 0)]));
          await pushAny('s0.m3u8', playlistOf([nameOf('p', 0)]));
        }
        for (const [kind = '', index] of order.split(' ')) {
          const bytes = at(clips[kind as 'p' | 's'], Number(index));
          await pushAny(nameOf(kind, Number(index)), bytes);
        }
        for (const index of [3, 4]) await push(nameOf('p', index), at(clips.p, index));
        const result = await pushAny(nameOf('s', 3), at(clips.s, 3));
        assert.ok(result && 'ignored' in result, 'sound is not used');
        const runs = await records.runs(stream);
        const newest = runs.at(-1) ?? assert.fail();
        const numbers = await records.numbersFrom(stream, newest.run, 0, 100);
        const segments = await Promise.all(
          numbers.map((number) => records.findSegment(stream, newest.run, number)),
        );
        const shown = segments.map((one) => [
          one?.facts.video !== undefined,
          one?.facts.startTicks,
        ]);
        assert.ok(
          shown.every(([hasVideo]) => hasVideo),
          JSON.stringify(shown),
        );
        const pictures = order.startsWith('s0 s1') ? 4 : 5;
        assert.ok(segments.length >= pictures, `${segments.length} pictures`);
      });
    }
  }

  test('a file of another variant that is listed already stays there, and no more of it come', async (t) => {
    const { push, pushIgnored, pushAny, completed, records, stream, numbersOf } = await pushTo(t);
    const [large, little] = [await largeClip(), await small()];
    for (const index of [0, 1, 2]) await push(`v0/seg${index}.ts`, at(large, index));
    // Its first requests were lost: nothing tells yet that it is another one.
    await push('v1/seg3.ts', at(little, 3));
    const [last = 0] = (await numbersOf(1)).slice(-1);
    await completed(last);
    const kept = await pushAny('v0/seg3.ts', at(large, 3));
    assert.ok(kept && 'receipt' in kept);
    assert.deepEqual(
      kept.receipt.notices?.map(({ code }) => code),
      ['kept_listed'],
    );
    assert.deepEqual(await pushIgnored('v1/seg4.ts', at(little, 4)), ['variant_ignored']);
    await push('v0/seg4.ts', at(large, 4));
    const next = await records.findSegment(stream, 1, last + 1);
    assert.equal(next?.facts.video?.heightPx, 72);
  });

  test('the playlist of the ignored one neither ends the stream nor gives hints', async (t) => {
    const { push, pushIgnored, records, stream } = await pushTo(t);
    await push('v0/seg0.ts', at(await largeClip(), 0));
    await pushIgnored('v1/seg0.ts', at(await small(), 0));
    const playlist = playlistOf(['seg0.ts'], { ended: true });
    assert.deepEqual(await pushIgnored('v1/live.m3u8', playlist), ['variant_ignored']);
    assert.equal(await records.endRequest(stream), undefined);
    assert.equal(await records.startHint(stream, 1), undefined);
  });

  test('one that was ignored is taken when the other no longer comes', async (t) => {
    const { push, pushIgnored, clock, runCount } = await pushTo(t);
    const [large, little] = [await largeClip(), await small()];
    await push('v0/seg0.ts', at(large, 0));
    await pushIgnored('v1/seg0.ts', at(little, 0));
    clock.nowMs += 9_000;
    await pushIgnored('v1/seg1.ts', at(little, 1));
    await push('v0/seg1.ts', at(large, 1));
    clock.nowMs += 11_000;
    await push('v1/seg0.ts', at(little, 0));
    await push('v1/seg1.ts', at(little, 1));
    assert.equal(await runCount(), 2);
  });

  test('each has its own init segment', async (t) => {
    const { push, pushAny, pushIgnored, records, stream } = await pushTo(t);
    const large = await makeSegments({ seconds: 10, size: '128x72', container: 'fmp4' });
    const little = await makeSegments({ seconds: 10, size: '64x36', container: 'fmp4' });
    await pushAny('init_0.mp4', large.init ?? assert.fail());
    await pushAny('init_1.mp4', little.init ?? assert.fail());
    for (const index of [0, 1]) {
      await push(`stream_0_${index}.m4s`, at(large.segments, index).bytes);
      const other = at(little.segments, index).bytes;
      assert.deepEqual(await pushIgnored(`stream_1_${index}.m4s`, other), ['variant_ignored']);
      const { facts } = (await records.findSegment(stream, 1, index)) ?? assert.fail();
      assert.equal(facts.video?.heightPx, 72);
    }
  });
});
