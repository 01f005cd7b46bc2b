import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DomainError } from '../../lib/domain/errors.ts';
import { box } from '../../lib/media/iso-boxes.ts';
import { runTranscode } from '../../lib/pipeline/jobs/transcode-run.ts';
import { START_MS } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { at, clip, otherClip, playlistOf, pushTo } from '../support/push.ts';

describe('pushed fragments:', () => {
  test('one that begins with uuid or free is joined to the init segment that was sent', async (t) => {
    const { init = assert.fail(), segments } = await makeSegments({
      seconds: 4,
      size: '64x36',
      container: 'fmp4',
    });
    const { push, pushAny } = await pushTo(t);
    assert.equal(await pushAny('init.mp4', init), undefined);
    for (const [number, type] of ['uuid', 'free'].entries()) {
      const bytes = segments[number]?.bytes ?? assert.fail();
      const first = box(type, new Uint8Array(16));
      const pushed = await push(`${number}.m4s`, Buffer.concat([first, bytes]));
      assert.equal(pushed.receipt.stored, true, type);
    }
  });

  test('an init segment is recognised behind a box with a size of 64 bits', async (t) => {
    const { init = assert.fail() } = await makeSegments({
      seconds: 4,
      size: '64x36',
      container: 'fmp4',
    });
    const long = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from('free'),
      Buffer.from([0, 0, 0, 0, 0, 0, 0, 16]),
    ]);
    const moov = Buffer.from(init).indexOf('moov') - 4;
    const bytes = Buffer.concat([init.subarray(0, moov), long, init.subarray(moov)]);
    const { pushAny } = await pushTo(t);
    assert.equal(await pushAny('init.mp4', bytes), undefined);
  });
});

describe('a pushed playlist', () => {
  test('of a whole day is read in a thread, and says of its newest files what a short one says', async (t) => {
    const { deps, push, pushAny, records, stream } = await pushTo(t);
    await push('s43199.ts', at(await clip(), 0));
    const run = t.mock.method(deps.inspection, 'run');
    const day = Array.from({ length: 43_200 }, (_, index) => `s${index}.ts`);
    await pushAny('live.m3u8', playlistOf(day.slice(-10), { first: 43_190 }));
    assert.equal(run.mock.callCount(), 0);
    await pushAny('live.m3u8', playlistOf(day));
    assert.deepEqual(
      run.mock.calls.map((call) => call.arguments[0]),
      ['readNewestFiles'],
    );
    for (const number of [43_110, 43_199]) {
      assert.deepEqual(await records.segmentHint(stream, 1, number), { seconds: 2 });
    }
    assert.equal(await records.segmentHint(stream, 1, 43_109), undefined);
    await assert.rejects(pushAny('live.m3u8', `#EXTM3U\n${'#EXTINF:x\n'.repeat(10_000)}`), {
      code: 'bad_request',
      message: 'Line 2 of the playlist is "#EXTINF:x": it must say a duration in seconds.',
    });
  });
});

describe('a pushed init segment', () => {
  test('that is larger than any encoder makes it is refused: every fragment is read with it', async (t) => {
    const { init = assert.fail() } = await makeSegments({
      seconds: 4,
      size: '64x36',
      container: 'fmp4',
    });
    const { pushAny } = await pushTo(t);
    const padded = (bytes: number) =>
      Buffer.concat([init, box('free', new Uint8Array(bytes - init.byteLength - 8))]);
    assert.equal(await pushAny('init.mp4', padded(1_048_576)), undefined);
    await assert.rejects(pushAny('init.mp4', padded(1_048_577)), {
      code: 'too_large',
      message: 'The init segment has 1048577 bytes; at most 1048576 are taken.',
    });
  });
});

describe('names and playlists of encoders:', () => {
  const NAMES: Readonly<Record<string, (index: number) => string>> = {
    'of nginx-vod': (index) => `seg-${index + 1}-v1-a1.ts`,
    'with index and duration': (index) => `seg_0000${index}_2000000.ts`,
    'by date': (index) => `live-20261125-10595${6 + index}.ts`,
    'by hash': (index) => `${hash('sha256', String(index)).slice(0, 32)}.ts`,
  };
  for (const [kind, nameOf] of Object.entries(NAMES)) {
    for (const playlistFirst of [false, true]) {
      const when = playlistFirst ? 'before' : 'after';
      test(`${kind}, each ${when} its playlist, make one run without holes`, async (t) => {
        const { push, pushAny, records, stream, numbersOf, runCount } = await pushTo(t);
        const segments = await clip();
        const numbers: number[] = [];
        for (const [index, bytes] of segments.slice(0, 4).entries()) {
          const listed = Array.from({ length: index + 1 }, (_, one) => nameOf(one)).slice(-3);
          const playlist = playlistOf(listed, { first: Math.max(0, index - 2) });
          if (playlistFirst) await pushAny('live.m3u8', playlist);
          numbers.push((await push(nameOf(index), bytes)).receipt.segment);
          if (!playlistFirst) await pushAny('live.m3u8', playlist);
        }
        const first = at(numbers, 0);
        assert.deepEqual(numbers, [first, first + 1, first + 2, first + 3]);
        assert.deepEqual(await numbersOf(1), numbers);
        assert.equal(await runCount(), 1);
        assert.deepEqual(await records.startHint(stream, 1), {
          firstNumber: first,
          targetDurationSeconds: 3,
        });
        for (const number of numbers) {
          assert.deepEqual(await records.segmentHint(stream, 1, number), { seconds: 2 });
        }
      });
    }
  }

  test('a playlist that comes first gives its numbers to the files that it lists, in any order of their coming', async (t) => {
    const { push, pushAny, numbersOf } = await pushTo(t);
    const segments = await clip();
    await pushAny('live.m3u8', playlistOf(['alpha.ts', 'beta.ts', 'gamma.ts'], { first: 41 }));
    for (const [name, index] of [
      ['beta.ts', 1],
      ['gamma.ts', 2],
      ['alpha.ts', 0],
    ] as const) {
      assert.equal((await push(name, at(segments, index))).receipt.segment, 41 + index);
    }
    assert.deepEqual(await numbersOf(1), [41, 42, 43]);
  });

  test('a playlist that comes after many segments is recorded whole, with its wall-clock times', async (t) => {
    const { push, pushAny, records, stream } = await pushTo(t);
    const names = Array.from({ length: 60 }, (_, index) => `live${index}.ts`);
    for (const [index, bytes] of (await clip()).entries()) await push(at(names, index), bytes);
    const lines = names.flatMap((name, index) => [
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS - 2000 * (60 - index)).toISOString()}`,
      '#EXTINF:2.04,',
      name,
    ]);
    await pushAny('live.m3u8', ['#EXTM3U', '#EXT-X-TARGETDURATION:2', ...lines].join('\n'));
    for (const number of [0, 1, 30, 59]) {
      assert.deepEqual(await records.segmentHint(stream, 1, number), {
        seconds: 2.04,
        programDateTimeMs: START_MS - 2000 * (60 - number),
      });
    }
  });

  test('a file that is listed in byte ranges, or twice, is one segment', async (t) => {
    const { push, pushAny, records, stream, numbersOf } = await pushTo(t);
    await push('all0.ts', at(await clip(), 0));
    const range = '#EXTINF:1.000000,\n#EXT-X-BYTERANGE:900@0\nall0.ts\n';
    const head = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n';
    await pushAny('live.m3u8', head + range + range);
    assert.deepEqual(await records.segmentHint(stream, 1, 0), { seconds: 2 });
    await pushAny('live.m3u8', `${head}#EXTINF:1,\nall0.ts\n#EXTINF:1.5,\nall0.ts\n#EXT-X-ENDLIST`);
    assert.deepEqual(await records.segmentHint(stream, 1, 0), { seconds: 1.5 });
    assert.equal((await records.endRequest(stream))?.number, 0);
    assert.deepEqual(await numbersOf(1), [0]);
  });

  test('playlists of keyframes, captions and variants say nothing of the segments', async (t) => {
    const { push, pushAny, records, stream } = await pushTo(t);
    await push('live0.ts', at(await clip(), 0));
    await pushAny(
      'iframes.m3u8',
      playlistOf(['live0.ts'], { tags: '#EXT-X-I-FRAMES-ONLY', ended: true }),
    );
    await pushAny('live_vtt.m3u8', playlistOf(['live0.vtt'], { ended: true }));
    await pushAny('master.m3u8', '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nlive.m3u8\n');
    assert.equal(await records.segmentHint(stream, 1, 0), undefined);
    assert.equal(await records.endRequest(stream), undefined);
  });

  test('captions beside the segments are not used, and said to be', async (t) => {
    const { pushIgnored, numbersOf } = await pushTo(t);
    assert.deepEqual(
      await pushIgnored('live0.vtt', '\uFEFFWEBVTT\n\n00:00.000 --> 00:01.000\nHi\n'),
      ['track_ignored'],
    );
    assert.deepEqual(await numbersOf(1), []);
  });

  test('a file that is refused leaves its number to the next', async (t) => {
    const { push, pushAny, numbersOf } = await pushTo(t);
    const segments = await clip();
    await push('20261125-101500.ts', at(segments, 0));
    await assert.rejects(pushAny('thumbnail.jpg', 'no media'), { code: 'unsupported_media' });
    await push('20261125-101502.ts', at(segments, 1));
    assert.deepEqual(await numbersOf(1), [0, 1]);
  });

  test('names that no file can have are passed over', async (t) => {
    const { pushAny, records, stream } = await pushTo(t);
    const long = `${'x'.repeat(300)}.ts`;
    await pushAny('live.m3u8', playlistOf([long, 'a%00.ts', 'alpha.ts']));
    assert.equal(await records.numberOfName(stream, '', long), undefined);
    assert.equal(await records.numberOfName(stream, '', 'alpha.ts'), 2);
  });

  test('no playlist makes a request fail with anything but words', async (t) => {
    const { pushAny, push } = await pushTo(t);
    await push('live0.ts', at(await clip(), 0));
    const line = fc.oneof(
      fc.constantFrom('live0.ts', 'live1.ts', 'v0/live1.ts', '../a.ts', 'é%.ts', 'x'.repeat(300)),
      fc.constantFrom('#EXTINF:2,', '#EXT-X-BYTERANGE:1@0', '#EXT-X-GAP', '#EXT-X-ENDLIST'),
      fc.constantFrom('#EXT-X-MEDIA-SEQUENCE:9007199254740991', '#EXT-X-MEDIA-SEQUENCE:7'),
      fc.constantFrom(
        '#EXT-X-STREAM-INF:BANDWIDTH=1',
        '#EXT-X-MEDIA:TYPE=AUDIO',
        '#EXT-X-MAP:URI="i"',
      ),
      fc.string({ unit: 'binary-ascii' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.boolean(), async (lines, isMedia) => {
        const head = ['#EXTM3U', ...(isMedia ? ['#EXT-X-TARGETDURATION:2'] : [])];
        try {
          await pushAny('live.m3u8', [...head, ...lines].join('\n'));
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a name that comes again with other bytes:', () => {
  test('the newer ones take the place of what no worker has completed', async (t) => {
    const { push, records, stream, numbersOf, runCount, deps } = await pushTo(t);
    const segments = await clip();
    const others = await otherClip();
    for (const index of [0, 1, 2]) await push(`seg${index}.ts`, at(segments, index));
    const again = await push('seg2.ts', at(others, 2));
    assert.equal(again.isNew, true);
    assert.deepEqual(
      again.receipt.notices?.map(({ code }) => code),
      ['replaced'],
    );
    await push('seg3.ts', at(segments, 3));
    assert.deepEqual(await numbersOf(1), [0, 1, 2, 3]);
    assert.equal(await runCount(), 1);
    const stored = (await records.findSegment(stream, 1, 2)) ?? assert.fail();
    assert.equal(stored.digest, again.receipt.digest);
    const bytes = (await deps.media.get(stored.sourceKey)) ?? [];
    assert.deepEqual(Buffer.from(bytes), Buffer.from(at(others, 2)));
  });

  test('a job that has read the older ones records nothing', async (t) => {
    const { push, records, stream, deps, workFolder } = await pushTo(t);
    const others = await otherClip();
    await push('seg0.ts', at(await clip(), 0));
    let reads = 0;
    const media = {
      ...{ put: deps.media.put.bind(deps.media), head: deps.media.head.bind(deps.media) },
      ...{ list: deps.media.list.bind(deps.media), delete: deps.media.delete.bind(deps.media) },
      putFile: deps.media.putFile.bind(deps.media),
      presignPut: deps.media.presignPut.bind(deps.media),
      multipart: deps.media.multipart,
      get: async (key: string) => {
        const bytes = await deps.media.get(key);
        reads += 1;
        if (reads === 1) await push('seg0.ts', at(others, 0));
        return bytes;
      },
    };
    const job = { videoId: 'show', uid: stream.uid, run: 1, number: 0 };
    const context = { workFolder, threads: 1, signal: new AbortController().signal };
    assert.equal(await runTranscode({ ...deps, media }, job, context), 'obsolete');
    assert.equal(await records.findOutcome(stream, 1, 0), undefined);
    assert.equal(await runTranscode(deps, job, context), 'done');
  });

  test('what a worker has completed stays', async (t) => {
    const { push, records, stream, completed, runCount } = await pushTo(t);
    const segments = await clip();
    for (const index of [0, 1, 2]) await push(`seg${index}.ts`, at(segments, index));
    const before = await records.findSegment(stream, 1, 2);
    await completed(2);
    const again = await push('seg2.ts', at(await otherClip(), 2));
    assert.equal(again.isNew, false);
    assert.deepEqual(
      again.receipt.notices?.map(({ code }) => code),
      ['kept_listed'],
    );
    assert.equal(again.receipt.digest, before?.digest);
    assert.equal(await runCount(), 1);
  });

  test('an encoder that starts again begins a new run', async (t) => {
    const { push, numbersOf } = await pushTo(t);
    const segments = await clip();
    const others = await otherClip();
    for (const index of [0, 1, 2]) await push(`seg${index}.ts`, at(segments, index));
    for (const index of [0, 1]) await push(`seg${index}.ts`, at(others, index));
    assert.deepEqual(
      [await numbersOf(1), await numbersOf(2)],
      [
        [0, 1, 2],
        [0, 1],
      ],
    );
  });

  test('names that are used in turn go on in the run', async (t) => {
    const { push, numbersOf, runCount } = await pushTo(t);
    for (const [index, bytes] of (await clip()).entries()) await push(`seg${index % 2}.ts`, bytes);
    assert.deepEqual(await numbersOf(1), [0, 1, 2, 3, 4]);
    assert.equal(await runCount(), 1);
  });
});
