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
