import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Stream } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls, parseMultivariantWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

async function streamOf(
  engine: TestEngine,
  settings: Partial<Stream['settings']> = {},
): Promise<Stream> {
  const made = newStream('show', START_MS);
  const stream: Stream = {
    ...made,
    uid: 'u1',
    settings: { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 12, ...settings },
  };
  assert.ok(await engine.records.createStream(stream));
  return stream;
}

async function setUp(t: TestContext, settings: Partial<Stream['settings']> = {}) {
  const engine = await testEngine(t);
  const stream = await streamOf(engine, settings);
  const viewer = createViewer(engine.deps);
  const media = async (
    rendition: string,
    view: 'live' | 'vod' = 'live',
    broadcast = 1,
  ): Promise<string> => {
    const { document } = await viewer.media('show', rendition, view, broadcast);
    assert.equal(gunzipSync(document.gzip).toString(), document.text);
    return document.text;
  };
  const upload = async (run: number, number: number): Promise<void> => {
    await acknowledge(engine, stream, run, number);
    await settle(engine, stream, run, number);
  };
  return { engine, stream, viewer, media, upload };
}

describe('media playlists', () => {
  test('slide with the DVR window and count what has left it', async (t) => {
    const { media, upload } = await setUp(t);
    for (const number of [0, 1, 2, 3, 4]) await upload(1, number);
    assert.equal(
      await media('720p'),
      `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:2
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXTINF:4,
/media/v/720p/1-2.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
/media/v/720p/1-3.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:16.000Z
#EXTINF:4,
/media/v/720p/1-4.m4s
`,
    );
    await upload(1, 5);
    assert.match(await media('360p'), /MEDIA-SEQUENCE:3\n.*360p\/1-3.*360p\/1-5\.m4s\n$/s);
  });

  test('keep a gap for good, put the late arrival into the recording, and end once', async (t) => {
    const { engine, stream, viewer, media, upload } = await setUp(t, { dvrWindowSeconds: null });
    await upload(1, 0);
    await upload(1, 2);
    assert.doesNotMatch(await media('720p'), /1-2/);
    engine.clock.nowMs += 8000;
    await publish(engine, stream);
    const live = `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4,
/media/v/720p/1-0.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-1-1260000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXTINF:4,
/media/v/720p/1-2.m4s
`;
    assert.equal(await media('720p'), live);
    await upload(1, 1);
    assert.equal(await media('720p'), live, 'a late segment never changes the live playlist');
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    assert.equal(await media('720p'), `${live}#EXT-X-ENDLIST\n`);
    const vod = await media('720p', 'vod');
    assert.equal(
      vod,
      `${live}#EXT-X-ENDLIST\n`
        .replace('EVENT', 'VOD')
        .replace('#EXT-X-GAP\n', '')
        .replace('/media/show/u1/gap/1-1-1260000.m4s', '/media/v/720p/1-1.m4s'),
    );
    assert.equal(parseMediaWithHls(vod).segments.length, 3);
    const { document } = await viewer.multivariant('show');
    assert.match(document.text, /show\/720p\.m3u8\?view=vod/);
  });

  test('go on behind a discontinuity when the encoder restarts, also after the end', async (t) => {
    const { engine, stream, viewer, media, upload } = await setUp(t);
    await upload(1, 0);
    await requestEnd(engine.deps, stream, 'idle');
    await publish(engine, stream);
    const ended = await media('720p');
    assert.match(ended, /#EXT-X-ENDLIST\n$/);
    engine.clock.nowMs += 60_000;
    await upload(2, 0);
    await upload(2, 1);
    assert.equal(await media('720p'), ended, 'an end that was shown is not taken back');
    const { document } = await viewer.multivariant('show');
    assert.match(document.text, /^show\/720p\.m3u8\?broadcast=2$/m);
    const text = await media('720p', 'live', 2);
    assert.doesNotMatch(text, /ENDLIST/);
    assert.match(
      text,
      /1-0\.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="[^"]+"\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z\n#EXTINF:4,\n\/media\/v\/720p\/2-0\.m4s\n/,
    );
    for (const number of [2, 3]) await upload(2, number);
    const later = await media('720p', 'live', 2);
    assert.match(later, /MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n/);
    assert.equal(await media('720p'), ended);
    assert.equal((await viewer.state('show')).state, 'live');
  });

  test('do not show the end that an encoder pushes before its time to come back is over', async (t) => {
    const { engine, stream, viewer, media, upload } = await setUp(t, { idleTimeoutSeconds: 30 });
    await upload(1, 0);
    await requestEnd(engine.deps, stream, 'playlist');
    await publish(engine, stream);
    assert.equal((await viewer.state('show')).state, 'ended');
    assert.match(await media('720p', 'vod'), /#EXT-X-ENDLIST\n$/);
    engine.clock.nowMs += 29_999;
    assert.doesNotMatch(await media('720p'), /ENDLIST/);
    assert.match((await viewer.multivariant('show')).document.text, /^show\/720p\.m3u8$/m);
    await upload(2, 0);
    engine.clock.nowMs += 60_000;
    const goesOn = await media('720p');
    assert.match(goesOn, /1-0\.m4s\n#EXT-X-DISCONTINUITY\n.*2-0\.m4s\n$/s);
    assert.equal((await viewer.state('show')).state, 'live');
    await requestEnd(engine.deps, stream, 'playlist');
    await publish(engine, stream);
    engine.clock.nowMs += 30_000;
    assert.equal(await media('720p'), `${goesOn}#EXT-X-ENDLIST\n`);
  });

  test('do not take back an end that was shown when the clock is set back', async (t) => {
    const { engine, stream, media, upload } = await setUp(t, { idleTimeoutSeconds: 30 });
    await upload(1, 0);
    for (const reason of ['playlist', 'call'] as const) {
      await requestEnd(engine.deps, stream, reason);
      await publish(engine, stream);
      engine.clock.nowMs += 30_000;
      const ended = await media('720p');
      assert.match(ended, /#EXT-X-ENDLIST\n$/);
      engine.clock.nowMs -= 3_600_000;
      assert.equal(await media('720p'), ended);
    }
  });

  test('show the end at once when a call follows the one that the encoder pushed', async (t) => {
    const { engine, stream, media, upload } = await setUp(t);
    await upload(1, 0);
    await requestEnd(engine.deps, stream, 'playlist');
    await publish(engine, stream);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    assert.match(await media('720p'), /#EXT-X-ENDLIST\n$/);
  });

  test('of the recording hold what came before the first segment that was listed', async (t) => {
    const { engine, stream, media, upload } = await setUp(t);
    await upload(1, 3);
    engine.clock.nowMs += 8000;
    await publish(engine, stream);
    const live = await media('720p');
    assert.match(live, /MEDIA-SEQUENCE:0\n.*1-3\.m4s\n$/s);
    for (const number of [2, 0, 1]) await upload(1, number);
    assert.equal(await media('720p'), live);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const { segments } = parseMediaWithHls(await media('720p', 'vod'));
    assert.deepEqual(
      segments.map(({ uri }) => uri.slice(-7)),
      ['1-0.m4s', '1-1.m4s', '1-2.m4s', '1-3.m4s'],
    );
  });

  test('list the same segments in every rendition, with a fallback where one has no piece', async (t) => {
    const { engine, stream, viewer, media, upload } = await setUp(t);
    await upload(1, 0);
    await acknowledge(engine, stream, 2, 0);
    await settle(engine, stream, 2, 0, ['360p']);
    const [large, small] = [await media('720p'), await media('360p')];
    assert.match(
      large,
      /DISCONTINUITY\n#EXT-X-MAP:URI="\/media\/v\/360p\/init.mp4"\n.*360p\/2-0\.m4s\n$/s,
    );
    assert.equal(large.match(/#EXTINF/g)?.length, small.match(/#EXTINF/g)?.length);
    const { document } = await viewer.multivariant('show');
    const { variants } = parseMultivariantWithHls(document.text);
    assert.deepEqual(
      variants.map((variant) => variant.heightPx),
      [720, 360],
    );
  });

  test('are read on from where a warm process stands, however many ask at once', async (t) => {
    const { engine, media, upload, viewer } = await setUp(t, { dvrWindowSeconds: null });
    for (const number of [0, 1, 2]) await upload(1, number);
    await media('720p');
    await upload(1, 3);
    const all = await Promise.all([media('720p'), media('720p'), media('360p'), media('720p')]);
    const cold = createViewer(engine.deps);
    const fresh = (await cold.media('show', '720p', 'live')).document.text;
    assert.deepEqual([all[0], all[1], all[3]], [fresh, fresh, fresh]);
    await assert.rejects(viewer.media('show', '240p', 'live'), { code: 'rendition_not_found' });
    await assert.rejects(viewer.media('nope', '240p', 'live'), { code: 'stream_not_found' });
  });
});

test('multivariant playlist: its rates are those of the segments published', async (t) => {
  const { viewer, upload } = await setUp(t);
  await assert.rejects(viewer.multivariant('show'), { code: 'not_started' });
  await upload(1, 0);
  assert.equal(
    (await viewer.multivariant('show')).document.text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1440000,AVERAGE-BANDWIDTH=1440000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
show/720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=720000,AVERAGE-BANDWIDTH=720000,CODECS="avc1.64001f",RESOLUTION=640x360,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
show/360p.m3u8
`,
  );
});
