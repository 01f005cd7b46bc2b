import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import { dashSegmentHandler } from '../../lambdas/api/dash-segment.ts';
import { serverTimeHandler } from '../../lambdas/api/server-time.ts';
import { viewMetadataHandler } from '../../lambdas/api/view.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { putStream } from '../../lib/pipeline/streams.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

type Names = Readonly<Record<string, string>>;

async function setUp(t: TestContext) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds: 12 };
  const stream = { ...made, uid: 'u1', settings };
  await engine.records.createStream(stream);
  const upload = async (run: number, ...numbers: readonly number[]) => {
    for (const number of numbers) {
      await acknowledge(engine, stream, run, number);
      await settle(engine, stream, run, number);
    }
  };
  const ask = (handler: ReturnType<typeof dashSegmentHandler>) => async (event: object) => {
    const answer = await handler({ headers: {}, ...event } as unknown as HttpEvent, {} as Context);
    return { ...answer, headers: answer.headers ?? {}, body: answer.body ?? '' };
  };
  const metadata = ask(viewMetadataHandler(engine.deps));
  const get = (videoId: string, queryStringParameters: Names = {}, headers: Names = {}) =>
    metadata({ pathParameters: { videoId }, queryStringParameters, headers });
  const segment = ask(dashSegmentHandler(engine.deps));
  const follow = (path: string) => {
    const [, , , videoId, rendition, period, name] = path.split('/');
    return segment({ pathParameters: { videoId, rendition, period, segment: name } });
  };
  const end = async () => {
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
  };
  return { engine, stream, upload, get, follow, end, time: ask(serverTimeHandler(engine.deps)) };
}

describe('an MPD by HTTP', () => {
  test('is had by its ending, by format, and by what a client accepts', async (t) => {
    const { upload, get } = await setUp(t);
    await upload(1, 0);
    const { headers, body } = await get('show.mpd');
    assert.equal(headers['content-type'], 'application/dash+xml');
    assert.equal(headers['cache-control'], 'public, max-age=1');
    assert.equal(readMpd(body).location, 'show.mpd?broadcast=1');
    assert.equal((await get('show', { format: 'dash' })).body, body);
    assert.equal((await get('show', {}, { accept: 'application/dash+xml, */*' })).body, body);
    assert.match((await get('show.m3u8', { format: 'dash' })).body, /^#EXTM3U/);
    assert.match(
      (await get('show', { format: 'hls' }, { accept: 'application/dash+xml' })).body,
      /^#E/,
    );
    const packed = await get('show.mpd', {}, { 'accept-encoding': 'gzip' });
    assert.equal(gunzipSync(Buffer.from(packed.body, 'base64')).toString(), body);
    const known = { 'if-none-match': String(headers.etag) };
    assert.equal((await get('show.mpd', {}, known)).statusCode, 304);
    const refused = await get('show', { format: 'smooth' });
    assert.equal(refused.statusCode, 400);
    assert.match(
      refused.body,
      /no \\"smooth\\" presentation.*format=hls, format=dash or format=json/,
    );
    assert.equal(
      JSON.parse((await get('show', { format: 'json' })).body).dash,
      '/viewstream/metadata/show.mpd',
    );
    assert.match((await get('other.mpd')).body, /stream_not_found/);
  });

  test('of a live stream whose window was made wider says how far back it goes by now', async (t) => {
    const { engine, upload, get } = await setUp(t);
    await upload(1, 0, 1, 2, 3, 4);
    const depth = async () => readMpd((await get('show.mpd')).body).attributes.timeShiftBufferDepth;
    assert.equal(await depth(), 'PT12S');
    await putStream(engine.deps, 'show', { dvrWindowSeconds: 20 }, false);
    const depths: (string | undefined)[] = [];
    for (const number of [5, 6, 7]) {
      await upload(1, number);
      depths.push(await depth());
    }
    assert.deepEqual(depths, ['PT16S', 'PT20S', 'PT20S']);
    await putStream(engine.deps, 'show', { dvrWindowSeconds: null }, false);
    await upload(1, 8);
    assert.equal(await depth(), 'PT24S');
  });

  test('of a stream that has ended is what was live where it is asked for again, and for others the recording', async (t) => {
    const { engine, upload, get, end } = await setUp(t);
    await upload(1, 0, 1, 2, 3, 4);
    const live = readMpd((await get('show.mpd')).body);
    assert.deepEqual(live.attributes.timeShiftBufferDepth, 'PT12S');
    await end();
    const segmentsOf = ({ periods }: typeof live) =>
      periods[0]?.sets[0]?.representations[0]?.segments.length;
    const watched = await get('show.mpd', { broadcast: '1' });
    assert.equal(watched.headers['cache-control'], 'public, max-age=10');
    const ended = readMpd(watched.body);
    assert.equal(ended.attributes.type, 'static');
    assert.equal(ended.attributes.mediaPresentationDuration, 'PT20S');
    assert.deepEqual(ended.periods, live.periods);
    assert.equal(
      (await get('show.mpd')).body,
      watched.body,
      'for a minute: players that know no Location',
    );
    engine.clock.nowMs += 60_000;
    assert.equal((await get('show.mpd', { broadcast: '1' })).body, watched.body);
    const recording = readMpd((await get('show.mpd')).body);
    assert.deepEqual([segmentsOf(ended), segmentsOf(recording)], [3, 5]);
    assert.equal((await get('show.mpd', { view: 'vod' })).body, (await get('show.mpd')).body);

    await upload(2, 0);
    assert.equal((await get('show.mpd', { broadcast: '1' })).body, watched.body);
    const next = readMpd((await get('show.mpd')).body);
    assert.deepEqual(
      [
        next.attributes.type,
        next.location,
        next.periods.map(({ id, startSeconds }) => [id, startSeconds]),
      ],
      [
        'dynamic',
        'show.mpd?broadcast=2',
        [
          ['0', 0],
          ['1', 60],
        ],
      ],
    );
  });

  test('has segments whose addresses lead to the stored objects for ever', async (t) => {
    const { engine, upload, get, follow, end } = await setUp(t);
    await upload(1, 0, 2);
    engine.clock.nowMs += 8000;
    await upload(1, 3);
    await upload(1, 1);
    await upload(2, 0);
    const urisOf = async (query: Names) =>
      readMpd((await get('show.mpd', query)).body).periods.map(({ sets }) =>
        sets[0]?.representations.map(({ segments }) => segments.map(({ uri }) => uri)),
      );
    const own = '/viewstream/segment/show';
    const live = (rung: string) => [
      `${own}/${rung}/u1-1-0/1620000.m4s`,
      `${own}/${rung}/u1-1-0/1980000.m4s`,
    ];
    const second = (rung: string) => [`${own}/${rung}/u1-2-1/900000.m4s`];
    assert.deepEqual(await urisOf({}), [
      [live('720p'), live('360p')],
      [second('720p'), second('360p')],
    ]);
    const { statusCode, headers } = await follow(`${own}/360p/u1-1-0/1620000.m4s`);
    assert.deepEqual(
      [statusCode, headers],
      [
        302,
        {
          location: '/media/v/360p/1-2.m4s',
          'cache-control': 'public, max-age=31536000, immutable',
        },
      ],
    );
    assert.equal(
      (await follow(`${own}/720p/u1-2-1/900000.m4s`)).headers.location,
      '/media/v/720p/2-0.m4s',
    );
    await end();
    const recorded = (await urisOf({ view: 'vod' }))[0]?.[0] ?? [];
    const found = await Promise.all(recorded.map(follow));
    assert.deepEqual(
      found.map((answer) => answer.headers.location),
      [0, 1, 2, 3].map((number) => `/media/v/720p/1-${number}.m4s`),
    );
  });

  test('names pieces that came late in the place of others by addresses of their own', async (t) => {
    const { engine, stream, upload, get, follow, end } = await setUp(t);
    await upload(1, 0);
    const firstOf = async (query: Names) =>
      readMpd((await get('show.mpd', query)).body).periods[0]?.sets[0]?.representations[1]
        ?.segments[0]?.uri ?? '';
    const live = await firstOf({});
    const { value, version } = await engine.records.timeline(stream);
    const piece = {
      ...{ key: 'media/v/360p/late.m4s', initKey: 'media/v/360p/init.mp4', sizeBytes: 1 },
    };
    const late = { sequence: 0, rendition: '360p', piece };
    assert.ok(await engine.records.recordLatePiece(stream, late, value, version));
    await end();
    const recorded = await firstOf({ view: 'vod' });
    assert.deepEqual(
      [live, recorded],
      [
        '/viewstream/segment/show/360p/u1-1-0/900000.m4s',
        '/viewstream/segment/show/360p/u1-1-0-late1/900000.m4s',
      ],
    );
    const found = await Promise.all([live, recorded].map(follow));
    assert.deepEqual(
      found.map(({ headers }) => headers.location),
      ['/media/v/360p/1-0.m4s', '/media/v/360p/late.m4s'],
    );
  });

  test('has no segment at other addresses, and says which there are', async (t) => {
    const { upload, follow } = await setUp(t);
    await upload(1, 0, 1);
    const refusals = [
      ['show/720p/u1-1-0/1980000.m4s', 404, 'moment_not_found'],
      ['show/720p/u1-2-0/900000.m4s', 404, 'moment_not_found'],
      ['show/720p/u1-1-1/900000.m4s', 404, 'moment_not_found'],
      // Of a stream that had the same id before.
      ['show/720p/u0-1-0/900000.m4s', 404, 'moment_not_found'],
      ['show/thumbnails/u1-1-0/900000.jpg', 404, 'moment_not_found'],
      ['show/captions-de/u1-1-0-since1/900001.m4s', 404, 'moment_not_found'],
      ['show/720p/u1-1-0/900001.m4s', 404, 'moment_not_found'],
      ['show/1080p/u1-1-0/900000.m4s', 404, 'rendition_not_found'],
      ['show/__proto__/u1-1-0/900000.m4s', 404, 'rendition_not_found'],
      ['other/720p/u1-1-0/900000.m4s', 404, 'stream_not_found'],
      ['show/720p/u1-1-0/900000.mp4', 400, 'bad_request'],
      ['show/720p/1-0/900000.m4s', 400, 'bad_request'],
      [`show/720p/u1-1-0/${'9'.repeat(30)}.m4s`, 400, 'bad_request'],
      ['-/720p/u1-1-0/900000.m4s', 400, 'bad_video_id'],
    ] as const;
    for (const [path, status, code] of refusals) {
      const answer = await follow(`/viewstream/segment/${path}`);
      assert.deepEqual([answer.statusCode, JSON.parse(answer.body).code], [status, code], path);
      assert.equal(answer.headers['cache-control'], 'public, max-age=1');
    }
  });

  test('names a clock, which says the time of the server', async (t) => {
    const { engine, time } = await setUp(t);
    engine.clock.nowMs += 1234;
    const { body, headers } = await time({});
    assert.equal(body, '2026-01-01T00:00:01.234Z');
    assert.equal(headers['cache-control'], 'public, max-age=1');
  });
});
