import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, test } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { putMarkers } from '../../lib/pipeline/markers/edit-markers.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createClipViewer } from '../../lib/pipeline/view/clips/clip-playlists.ts';
import { parseMediaWithHls, parseMultivariantWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

/** A live stream of segments of 4 s: 0, 1, a gap, 3; and a second run a minute later: 0, 1. */
async function setUp(t: TestContext) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4 };
  const stream = { ...made, uid: 'u1', settings };
  assert.ok(await engine.records.createStream(stream));
  const upload = async (run: number, number: number) => {
    await acknowledge(engine, stream, run, number);
    await settle(engine, stream, run, number);
  };
  for (const number of [0, 1, 3]) await upload(1, number);
  engine.clock.nowMs += 60_000;
  await publish(engine, stream);
  for (const number of [0, 1]) await upload(2, number);
  await publish(engine, stream);
  const clips = createClipViewer(engine.deps);
  const media = async (from: string, to?: string, rendition = '720p') =>
    (await clips.media('show', rendition, { from, to })).text;
  const uris = async (from: string, to?: string) =>
    [...(await media(from, to)).matchAll(/^\/media\/(.*)$/gm)].map(([, uri]) => uri);
  return { engine, stream, clips, media, uris, upload };
}

describe('playlists of a clip', () => {
  test('list the segments that hold it, and say where to begin', async (t) => {
    const { clips, media } = await setUp(t);
    const { text } = await clips.multivariant('show', { from: '5.5', to: '21' });
    assert.equal(
      text,
      `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=1440000,AVERAGE-BANDWIDTH=1440000,CODECS="avc1.64001f",RESOLUTION=1280x720,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
/viewstream/show/clip/720p.m3u8?from=5.5&to=21
#EXT-X-STREAM-INF:BANDWIDTH=720000,AVERAGE-BANDWIDTH=720000,CODECS="avc1.64001f",RESOLUTION=640x360,FRAME-RATE=30,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
/viewstream/show/clip/360p.m3u8?from=5.5&to=21
`,
    );
    assert.equal(parseMultivariantWithHls(text).variants.length, 2);
    const playlist = await media('5.5', '21');
    assert.equal(
      playlist,
      `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=1.5,PRECISE=YES
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:4,
/media/v/720p/1-1.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-2-1620000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
/media/v/720p/1-3.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="/media/v/720p/init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:00.000Z
#EXTINF:4,
/media/v/720p/2-0.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:04.000Z
#EXTINF:4,
/media/v/720p/2-1.m4s
#EXT-X-ENDLIST
`,
    );
    assert.equal(parseMediaWithHls(playlist).segments.length, 5);
    assert.equal(await media('5.5', '21'), playlist);
  });

  test('of instants list the same, also where the encoder paused', async (t) => {
    const { media, uris } = await setUp(t);
    const at = (time: string) => `2026-01-01T00:${time}Z`;
    assert.equal(await media(at('00:05.500'), at('01:05.000')), await media('5.5', '21'));
    assert.deepEqual(await uris(at('00:30'), at('01:01')), ['v/720p/2-0.m4s']);
    assert.deepEqual(await uris(at('00:13'), at('00:30')), ['v/720p/1-3.m4s']);
  });

  test('neither begin nor end with a gap', async (t) => {
    const { media, uris } = await setUp(t);
    assert.match(await media('9', '14'), /START:TIME-OFFSET=0,/);
    assert.deepEqual(await uris('9', '14'), ['v/720p/1-3.m4s']);
    assert.deepEqual(await uris('5', '11'), ['v/720p/1-1.m4s']);
    assert.doesNotMatch(await media('16', '20'), /#EXT-X-DISCONTINUITY\n/, 'nor with a break');
    await assert.rejects(media('9', '11'), { code: 'moment_not_found', message: /nothing/ });
  });

  test('have the markers of the clip, and no others', async (t) => {
    const { engine, stream, media } = await setUp(t);
    const marker = (seconds: number) => ({ id: `at-${seconds}`, at: seconds });
    await putMarkers(engine.deps, stream, [marker(1), marker(6), marker(21)]);
    const markers = ['at-1', 'at-6', 'at-21'];
    await publishStream(engine.deps, { videoId: 'show', uid: 'u1', markers });
    const text = await media('5', '20');
    assert.deepEqual(
      [...text.matchAll(/DATERANGE:ID="([^"]+)"/g)].map(([, id]) => id),
      ['at-6'],
    );
  });

  test('list captions of the span as they are now', async (t) => {
    const { engine, stream, clips, media } = await setUp(t);
    const german = { language: 'de' };
    await putCues(engine.deps, stream, german, [{ id: 'a', from: 6, to: 7, text: 'Guten Tag' }]);
    const captions = [{ track: 'captions-de', set: 'cue/a' }];
    await publishStream(engine.deps, { videoId: 'show', uid: 'u1', captions });
    const { text } = await clips.multivariant('show', { from: '5.5', to: '14' });
    assert.deepEqual(text.match(/^#EXT-X-MEDIA.*$/gm), [
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,URI="/viewstream/show/clip/captions-de.m3u8?from=5.5&to=14"',
    ]);
    assert.equal(
      await media('5.5', '14', 'captions-de'),
      `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-START:TIME-OFFSET=1.5,PRECISE=YES
#EXT-X-TARGETDURATION:4
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z
#EXTINF:4,
/viewstream/captions/show/captions-de/u1-1-1-1-cut.vtt
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z
#EXT-X-GAP
#EXTINF:4,
/media/show/u1/gap/1-2-1620000.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:12.000Z
#EXTINF:4,
/viewstream/captions/show/captions-de/u1-3-1-1-cut.vtt
#EXT-X-ENDLIST
`,
    );
  });

  test('of what is still to come are refused until it is there', async (t) => {
    const { engine, stream, clips, media, uris, upload } = await setUp(t);
    const late = { code: 'moment_not_found', message: /1\.000 s behind/, hint: /24\.000 s/ };
    await assert.rejects(media('20', '25'), late);
    await assert.rejects(media('20'), { code: 'bad_request', message: /live/ });
    await upload(2, 2);
    assert.deepEqual(await uris('20', '25'), ['v/720p/2-1.m4s', 'v/720p/2-2.m4s']);
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    assert.deepEqual(await uris('25', '99'), ['v/720p/2-2.m4s'], 'a clip ends with the stream');
    assert.equal((await uris('0')).length, 7);
    await assert.rejects(media('28', '99'), { code: 'moment_not_found' });
    const { text } = await clips.multivariant('show', {});
    assert.match(text, /clip\/720p\.m3u8$/m);
  });

  test('are refused for what is no span, and for a rendition that the clip has not', async (t) => {
    const { media } = await setUp(t);
    const backwards = { code: 'bad_request', message: /ends before/ };
    await assert.rejects(media('5', '5'), backwards);
    await assert.rejects(media('2026-01-01T00:00:05Z', '2026-01-01T00:00:04Z'), backwards);
    await assert.rejects(media('5', '2026-01-01T00:00:04Z'), { code: 'moment_not_found' });
    await assert.rejects(media('soon', '5'), { code: 'bad_request', message: /"soon"/ });
    await assert.rejects(media('1', '5', '480p'), { code: 'rendition_not_found', hint: /720p/ });
  });

  test('offer the renditions that the clip has anything of', async (t) => {
    const { engine, stream, clips, media } = await setUp(t);
    await acknowledge(engine, stream, 2, 2);
    await settle(engine, stream, 2, 2, ['360p']);
    const { text } = await clips.multivariant('show', { from: '24', to: '28' });
    assert.deepEqual(
      [...text.matchAll(/clip\/(\d+p)/g)].map(([, name]) => name),
      ['360p'],
    );
    await assert.rejects(media('24', '28'), { code: 'rendition_not_found', hint: /It has 360p/ });
    assert.match(await media('20', '28'), /720p\/2-1\.m4s.*360p\/2-2\.m4s/s);
  });

  test('have a late segment in its place', async (t) => {
    const { uris, upload } = await setUp(t);
    await upload(1, 2);
    assert.deepEqual(
      await uris('5', '13'),
      ['1', '2', '3'].map((number) => `v/720p/1-${number}.m4s`),
    );
  });
});
