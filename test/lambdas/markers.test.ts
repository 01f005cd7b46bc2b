import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import {
  changeMarkerHandler,
  listMarkersHandler,
  putMarkersHandler,
  removeMarkerHandler,
} from '../../lambdas/api/markers.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { OWNER_KEY, START_MS, testEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

type Query = Readonly<Record<string, string>>;

async function setUp(t: TestContext, dvrWindowSeconds: number | null = null) {
  const engine = await testEngine(t);
  const { deps, records } = engine;
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4, dvrWindowSeconds };
  const stream = { ...made, uid: 'u1', settings };
  await records.createStream(stream);
  const viewer = createViewer(deps);
  const list = listMarkersHandler(deps, viewer);
  const handlers = {
    GET: list,
    POST: putMarkersHandler(deps),
    PATCH: changeMarkerHandler(deps),
    DELETE: removeMarkerHandler(deps),
  };

  /** Runs what the call has queued, too. */
  async function call(
    method: keyof typeof handlers,
    given: Readonly<{ id?: string; body?: unknown; query?: Query; key?: string; video?: string }>,
  ) {
    const event = {
      headers: { authorization: `Bearer ${given.key ?? OWNER_KEY}` },
      requestContext: { http: { method } },
      pathParameters: { videoId: given.video ?? 'show', markerId: given.id },
      queryStringParameters: given.query,
      body: JSON.stringify(given.body),
      isBase64Encoded: false,
    };
    const answer = await handlers[method](event as unknown as HttpEvent, {} as Context);
    const options = { max: 10, leaseMs: 1000, waitMs: 0 };
    for (const { body, receipt } of await deps.queues.publish.receive(options)) {
      await publishStream(deps, publishRequest.parse(JSON.parse(body)));
      await deps.queues.publish.acknowledge([receipt]);
    }
    return { status: answer.statusCode, body: JSON.parse(answer.body ?? '{}') };
  }
  const upload = async (number: number): Promise<void> => {
    await acknowledge(engine, stream, 1, number);
    await settle(engine, stream, 1, number);
  };
  const playlist = async (rendition = '720p', view: 'live' | 'vod' = 'live') =>
    (await viewer.media('show', rendition, view)).document.text;
  const all = async (query?: Query) => (await call('GET', { ...(query && { query }) })).body;
  return { engine, stream, call, upload, playlist, all };
}

const dateRanges = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('#EXT-X-DATERANGE'));

describe('markers', () => {
  test('stand in all live playlists before the segment that comes next, and nothing else changes', async (t) => {
    const { call, upload, playlist } = await setUp(t);
    await upload(0);
    const before = await playlist();
    const goal = { id: 'goal-1', class: 'goal', at: 2.5, text: '1:0' };
    const made = await call('POST', { body: goal });
    assert.deepEqual(made, {
      status: 201,
      body: {
        markers: [{ id: 'goal-1', class: 'goal', at: '2026-01-01T00:00:02.500Z', text: '1:0' }],
      },
    });
    const tag =
      '#EXT-X-DATERANGE:ID="goal-1",CLASS="goal",START-DATE="2026-01-01T00:00:02.500Z",DURATION=0,X-COM-RIVULET-TEXT="1:0"\n';
    assert.equal(await playlist(), before + tag);
    await upload(1);
    const grown = await playlist();
    assert.equal(
      grown,
      `${before}${tag}#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n#EXTINF:4,\n/media/v/720p/1-1.m4s\n`,
    );
    assert.deepEqual(dateRanges(await playlist('360p')), dateRanges(grown));
    assert.equal(parseMediaWithHls(grown).segments.length, 2);
  });

  test('that begin are listed without an end, and once more with it', async (t) => {
    const { call, upload, playlist, all } = await setUp(t);
    await upload(0);
    await call('POST', { body: { id: 'rain', class: 'weather', start: '2026-01-01T00:00:01Z' } });
    await upload(1);
    const before = await playlist();
    const ended = await call('PATCH', { id: 'rain', body: { end: 6 } });
    assert.equal(ended.body.end, '2026-01-01T00:00:06.000Z');
    const tag = '#EXT-X-DATERANGE:ID="rain",CLASS="weather",START-DATE="2026-01-01T00:00:01.000Z"';
    assert.equal(await playlist(), `${before}${tag},END-DATE="2026-01-01T00:00:06.000Z"\n`);
    assert.equal((await all()).markers.length, 1);
  });

  test('that change or go take their tags with them, in playlists that only grow and in those that slide', async (t) => {
    for (const dvrWindowSeconds of [null, 8]) {
      const { call, upload, playlist, all } = await setUp(t, dvrWindowSeconds);
      await upload(0);
      await upload(1);
      await call('POST', {
        body: {
          markers: [
            { id: 'a', at: 5 },
            { id: 'b', at: 6 },
          ],
        },
      });
      await playlist();
      await upload(2);
      assert.equal(dateRanges(await playlist()).length, 2);
      await call('PATCH', { id: 'a', body: { at: 7, text: 'moved' } });
      assert.deepEqual((await call('DELETE', { id: 'b' })).status, 204);
      assert.deepEqual(dateRanges(await playlist()), [
        '#EXT-X-DATERANGE:ID="a~2",CLASS="marker",START-DATE="2026-01-01T00:00:07.000Z",DURATION=0,X-COM-RIVULET-TEXT="moved"',
      ]);
      const moved = { id: 'a', class: 'marker', at: '2026-01-01T00:00:07.000Z', text: 'moved' };
      assert.deepEqual(await all({ since: '2' }), { version: 4, markers: [moved], removed: ['b'] });
      await upload(3);
      await upload(4);
      const left = dvrWindowSeconds === null ? 1 : 0;
      assert.equal(dateRanges(await playlist()).length, left, 'its time has left the window');
    }
  });

  test('are in the recording, also those that came after its end', async (t) => {
    const { engine, stream, call, upload, playlist } = await setUp(t);
    await upload(0);
    await call('POST', { body: { id: 'a', at: 1 } });
    await requestEnd(engine.deps, stream, 'call');
    await publish(engine, stream);
    const one = await playlist('720p', 'vod');
    await call('POST', { body: { id: 'b', start: 2, end: 3 } });
    const two = await playlist('360p', 'vod');
    assert.deepEqual([dateRanges(one).length, dateRanges(two).length], [1, 2]);
    assert.match(two, /^#EXTM3U\n.*DATERANGE:ID="a".*DATERANGE:ID="b".*#EXTINF.*ENDLIST\n$/s);
  });

  test('are listed by range and by class, in order of their start', async (t) => {
    const { call, upload, all } = await setUp(t);
    await upload(0);
    const spans = [
      { id: 'late', class: 'car', at: 3 },
      { id: 'long', class: 'rain', start: 0, end: 2 },
      { id: 'open', class: 'rain', start: 1 },
    ];
    await call('POST', { body: { markers: spans } });
    const ids = async (query?: Query) =>
      (await all(query)).markers.map(({ id }: { id: string }) => id);
    assert.deepEqual(await ids(), ['long', 'open', 'late']);
    assert.deepEqual(await ids({ from: '2.5' }), ['open', 'late']);
    assert.deepEqual(await ids({ to: '2026-01-01T00:00:00.500Z' }), ['long']);
    assert.deepEqual(await ids({ class: 'car' }), ['late']);
  });

  test('that are sent again change nothing; an id with other content or of a removed one is refused', async (t) => {
    const { call, upload, all } = await setUp(t);
    await upload(0);
    const [a, b] = [
      { id: 'a', at: 1, data: { x: 1, y: 2 } },
      { id: 'b', at: 2 },
    ];
    assert.equal((await call('POST', { body: a })).status, 201);
    const again = { ...a, data: { y: 2, x: 1 } };
    assert.equal((await call('POST', { body: { markers: [again, b] } })).status, 200);
    assert.equal((await all()).version, 2);
    const other = await call('POST', {
      body: {
        markers: [
          { id: 'c', at: 1 },
          { ...b, at: 3 },
        ],
      },
    });
    assert.deepEqual([other.status, other.body.code], [409, 'marker_conflict']);
    assert.equal((await all()).markers.length, 2, 'all of a call or none');
    await call('DELETE', { id: 'b' });
    assert.equal((await call('POST', { body: b })).body.code, 'marker_conflict');
    assert.equal((await call('PATCH', { id: 'b', body: { at: 1 } })).body.code, 'marker_not_found');
  });

  test('of a stream without media have instants; it shows them when it starts', async (t) => {
    const { call, upload, playlist, all } = await setUp(t);
    assert.equal((await call('POST', { body: { at: 1 } })).body.code, 'not_started');
    await call('POST', { body: { id: 'kick-off', at: '2026-01-01T01:00:00+01:00' } });
    assert.equal((await all()).markers.length, 1);
    await upload(0);
    assert.match(await playlist(), /SEQUENCE:0\n#EXT-X-DATERANGE:ID="kick-off".*\n#EXT-X-MAP/);
  });

  for (const [why, body] of [
    ['two ways of saying when', { at: 1, start: 1 }],
    ['no time', { text: 'x' }],
    ['an end before the start', { start: 2, end: 1 }],
    ['a time without a zone', { at: '2026-01-01T00:00:00' }],
    ['a day that no calendar has', { at: '2026-13-01T00:00:00Z' }],
    ['an id that no playlist can hold', { id: 'a"b', at: 1 }],
    ['an empty text', { at: 1, text: ' \n' }],
    ['more than 4 kB of data', { at: 1, data: { x: 'ä'.repeat(2048) } }],
    ['more than a hundred', { markers: Array.from({ length: 101 }, () => ({ at: 1 })) }],
    [
      'one id twice',
      {
        markers: [
          { id: 'a', at: 1 },
          { id: 'a', at: 1 },
        ],
      },
    ],
    ['a field with a typing error', { at: 1, txt: 'x' }],
    ['years ahead', { at: '2030-01-01T00:00:00Z' }],
  ] as const) {
    test(`are refused with ${why}`, async (t) => {
      const { call, upload, all } = await setUp(t);
      await upload(0);
      const { status, body: error } = await call('POST', { body });
      assert.deepEqual([status, error.code], [400, 'bad_request'], error.message);
      assert.deepEqual((await all()).markers, []);
    });
  }

  test('need a key that may upload to their stream, and a stream', async (t) => {
    const { call } = await setUp(t);
    assert.equal((await call('POST', { key: 'wrong', body: { at: 1 } })).status, 403);
    const { status, body } = await call('POST', { video: 'no-such', body: { at: 1 } });
    assert.deepEqual([status, body.code], [404, 'stream_not_found']);
  });
});
