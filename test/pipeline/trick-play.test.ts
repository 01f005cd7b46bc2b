import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Thumbnails } from '../../lib/domain/pictures/thumbnails.ts';
import type { Stream } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

const sprite = (name: string, columns = 2): Thumbnails => ({
  key: `media/v/thumbnails/${name}.jpg`,
  ...{ sizeBytes: 8000, columns, widthPx: 240, heightPx: 134, intervalTicks: 180_000 },
});

async function setUp(
  t: TestContext,
  settings: Partial<Stream['settings']> = {},
  longEntries = 1000,
) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const stream: Stream = {
    ...{ ...made, uid: 'u1' },
    settings: { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 12, ...settings },
  };
  await engine.records.createStream(stream);
  const deps = { ...engine.deps, longEntries };
  const viewer = createViewer(deps);
  const list = async (name: string, view: 'live' | 'vod' = 'live') =>
    (await viewer.media('show', name, view)).document.text;
  return {
    ...{ engine, deps, stream, viewer, list },
    index: async () => (await viewer.thumbnails('show')).document.text,
    upload: async (run: number, number: number, more: Parameters<typeof settle>[5] = {}) => {
      await acknowledge(engine, stream, run, number);
      await settle(engine, stream, run, number, undefined, more);
    },
    async end() {
      await requestEnd(engine.deps, stream, 'call');
      await publish(engine, stream);
    },
  };
}

const withPictures = (name: string) => ({ keyframeBytes: 30_000, thumbnails: sprite(name) });

describe('keyframes and thumbnails', () => {
  test('are offered beside the variants, with the rates of what is loaded', async (t) => {
    const { viewer, upload } = await setUp(t);
    await upload(1, 0, withPictures('0'));
    const { document } = await viewer.multivariant('show');
    assert.equal(
      document.text,
      `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1440000,AVERAGE-BANDWIDTH=1440000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
show/720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=720000,AVERAGE-BANDWIDTH=720000,CODECS="avc1.64001f",RESOLUTION=640x360,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
show/360p.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=60000,AVERAGE-BANDWIDTH=60000,CODECS="avc1.64001f",RESOLUTION=1280x720,VIDEO-RANGE=SDR,URI="show/720p.iframes.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=60000,AVERAGE-BANDWIDTH=60000,CODECS="avc1.64001f",RESOLUTION=640x360,VIDEO-RANGE=SDR,URI="show/360p.iframes.m3u8"
#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=50000,AVERAGE-BANDWIDTH=16000,CODECS="jpeg",RESOLUTION=240x134,URI="show/thumbnails.images.m3u8"
`,
    );
    assert.equal((await viewer.state('show')).thumbnails, '/viewstream/thumbnails/show.vtt');
  });

  test('have playlists with the entries of all others: gaps, seams and what has none are gaps there', async (t) => {
    const { engine, stream, list, upload } = await setUp(t, { dvrWindowSeconds: null });
    await upload(1, 0, withPictures('0'));
    await upload(1, 2, { keyframeBytes: 20_000 });
    engine.clock.nowMs += 8000;
    await publish(engine, stream);
    await upload(2, 0, withPictures('run-2'));
    const head = (kind: string) => `#EXTM3U
#EXT-X-VERSION:8
${kind}
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
`;
    assert.equal(
      await list('720p.iframes'),
      `${head('#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-I-FRAMES-ONLY')}\
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4,
#EXT-X-BYTERANGE:30000@0
/media/v/720p/1-0.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-1-1260000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXTINF:4,
#EXT-X-BYTERANGE:20000@0
/media/v/720p/1-2.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
#EXT-X-BYTERANGE:30000@0
/media/v/720p/2-0.m4s
`,
    );
    assert.equal(
      await list('thumbnails.images'),
      `${head('#EXT-X-IMAGES-ONLY')}\
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4,
#EXT-X-TILES:RESOLUTION=240x134,LAYOUT=2x1,DURATION=2
/media/v/thumbnails/0.jpg
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-1-1260000.jpg
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-2-1620000.jpg
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
#EXT-X-TILES:RESOLUTION=240x134,LAYOUT=2x1,DURATION=2
/media/v/thumbnails/run-2.jpg
`,
    );
  });

  test('slide with the DVR window, in an index with the times of the whole stream', async (t) => {
    const { index, list, upload, end } = await setUp(t);
    for (const number of [0, 1, 2, 3]) await upload(1, number, withPictures(String(number)));
    await upload(2, 0, { thumbnails: sprite('run-2', 1) });
    const cue = (clock: string, from: string, to: string, name: string, leftPx: number) =>
      `2026-01-01T00:00:${clock}.000Z\n00:00:${from}.000 --> 00:00:${to}.000\n/media/v/thumbnails/${name}.jpg#xywh=${leftPx},0,240,134\n\n`;
    const listed =
      cue('08', '08', '10', '2', 0) +
      cue('10', '10', '12', '2', 240) +
      cue('12', '12', '14', '3', 0) +
      cue('14', '14', '16', '3', 240) +
      cue('16', '16', '20', 'run-2', 0);
    assert.equal(await index(), `WEBVTT\n\n${listed}`);
    assert.match(await list('360p.iframes'), /MEDIA-SEQUENCE:2\n.*@0\n\/media\/v\/360p\/1-2.m4s/s);
    await end();
    const before =
      cue('00', '00', '02', '0', 0) +
      cue('02', '02', '04', '0', 240) +
      cue('04', '04', '06', '1', 0) +
      cue('06', '06', '08', '1', 240);
    assert.equal(await index(), `WEBVTT\n\n${before}${listed}`);
  });

  test('of a late arrival have their place in the recording', async (t) => {
    const { engine, stream, index, list, upload, end } = await setUp(t);
    await upload(1, 0, withPictures('0'));
    await upload(1, 2, withPictures('2'));
    engine.clock.nowMs += 8000;
    await publish(engine, stream);
    await upload(1, 1, withPictures('late'));
    assert.doesNotMatch(await index(), /late/);
    await end();
    assert.match(
      await index(),
      /00:00:06.000 --> 00:00:08.000\n\/media\/v\/thumbnails\/late.jpg#xywh=240/,
    );
    assert.match(await list('thumbnails.images', 'vod'), /thumbnails\/late.jpg/);
    assert.match(await list('720p.iframes', 'vod'), /@0\n\/media\/v\/720p\/1-1.m4s/);
  });

  test('of a stream from before they were recorded are not offered', async (t) => {
    const { viewer, list, upload } = await setUp(t);
    await upload(1, 0);
    assert.doesNotMatch((await viewer.multivariant('show')).document.text, /I-FRAME|IMAGE/);
    assert.equal((await viewer.state('show')).thumbnails, undefined);
    for (const name of ['720p.iframes', 'thumbnails.images', 'thumbnails.vtt', '72.iframes']) {
      await assert.rejects(list(name), { code: 'rendition_not_found', hint: 'It has 720p, 360p.' });
    }
    await assert.rejects(viewer.thumbnails('show'), { code: 'rendition_not_found' });
    // What comes with the update joins them.
    await upload(1, 1, withPictures('1'));
    const { segments } = parseMediaWithHls(await list('720p.iframes'));
    assert.deepEqual(
      segments.map(({ gap }) => gap),
      [true, false],
    );
  });

  test('of a long recording are stored by its job', async (t) => {
    const { deps, engine, stream, index, list, upload, end } = await setUp(t, {}, 2);
    for (const number of [0, 1, 2]) await upload(1, number, withPictures(String(number)));
    await end();
    await assert.rejects(list('720p.iframes', 'vod'), { code: 'not_ready' });
    const body = JSON.stringify({ kind: 'recording-playlists', videoId: 'show', uid: 'u1' });
    const { workFolder } = engine;
    await JOBS.run(deps, body, { workFolder, signal: new AbortController().signal });
    assert.match(await index(), /^WEBVTT\n\n.*00:00:10.000 --> 00:00:12.000\n/s);
    assert.match(await list('720p.iframes', 'vod'), /I-FRAMES-ONLY.*1-2.m4s\n#EXT-X-ENDLIST\n$/s);
    const keys = await deps.media.list(`media/show/${stream.uid}/recording/`);
    assert.ok(keys.some((key) => key.endsWith('/thumbnails.vtt.gz')));
  });

  test('whatever comes, every list has the entries of the rendition, at the same times', async (t) => {
    const settled = fc.array(
      fc.record({
        skips: fc.boolean(),
        startsRun: fc.boolean(),
        keyframeBytes: fc.option(fc.integer({ min: 200, max: 900_000 }), { nil: undefined }),
        columns: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(settled, async (segments) => {
        const { engine, stream, list, index, upload } = await setUp(t);
        let [run, number] = [1, 0];
        for (const [at, { skips, startsRun, keyframeBytes, columns }] of segments.entries()) {
          if (startsRun && at > 0) [run, number] = [run + 1, 0];
          else if (skips && at > 0) number += 1;
          const thumbnails = columns && { thumbnails: sprite(`${run}-${number}`, columns) };
          await upload(run, number, { ...(keyframeBytes && { keyframeBytes }), ...thumbnails });
          engine.clock.nowMs += 10_000;
          await publish(engine, stream);
          number += 1;
        }
        const timesOf = async (name: string) =>
          parseMediaWithHls(await list(name)).segments.map(
            ({ sequence, durationSeconds, discontinuitySequence, programDateTimeMs }) => [
              ...[sequence, durationSeconds, discontinuitySequence, programDateTimeMs],
            ],
          );
        const wanted = await timesOf('720p');
        const { value: state } = await engine.records.timeline(stream);
        if (state.renditions['720p']?.keyframes) {
          assert.deepEqual(await timesOf('720p.iframes'), wanted);
        }
        if (!state.thumbnails) return;
        assert.deepEqual(await timesOf('thumbnails.images'), wanted);
        const times = [...(await index()).matchAll(/(\d\d:\d\d:\d\d.\d{3}) --> (\S+)/g)].flatMap(
          ([, from = '', to = '']) => [from, to],
        );
        assert.deepEqual(times, times.toSorted(), 'cues do not overlap');
      }),
      { numRuns: 8 },
    );
  });
});
