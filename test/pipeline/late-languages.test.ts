import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { dashSegmentHandler } from '../../lambdas/api/dash-segment.ts';
import type { HttpEvent, HttpResult } from '../../lambdas/runtime/middleware.ts';
import { storedBytesOf } from '../../lib/domain/segment.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import type { TestEngine } from '../support/engine.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';
import {
  begin,
  countsOf,
  FRENCH,
  framesOf,
  listed,
  sendFrench,
  sendVideo,
  streamOf,
  work,
} from '../support/sent-language.ts';

const storedOf = async (engine: TestEngine): Promise<number> =>
  (await engine.records.timeline((await streamOf(engine)).value)).value.storedBytes ?? 0;

/** What is in the store of all languages. */
async function objectsOf({ deps }: TestEngine) {
  const keys = [
    ...(await deps.media.list('source/show/')),
    ...(await deps.media.list('media/show/')),
  ];
  return Promise.all(
    keys.map(async (key) => ({ key, bytes: (await deps.media.head(key))?.sizeBytes ?? 0 })),
  );
}

/** What an owner pays for: the pictures, which are records alone here, and all objects but those for all. */
async function bytesOf(engine: TestEngine): Promise<number> {
  const { value: stream } = await streamOf(engine);
  const { nextSequence } = (await engine.records.timeline(stream)).value;
  const outcomes = await engine.records.outcomesFrom(stream, 1, 0, nextSequence);
  const pictures = outcomes.map((one) => (one.type === 'rendered' ? storedBytesOf(one) : 0));
  const objects = await objectsOf(engine);
  return [
    ...pictures,
    ...objects.filter(({ key }) => !/\/init-|\/silence\//.test(key)).map(({ bytes }) => bytes),
  ].reduce((sum, bytes) => sum + bytes, 0);
}

describe('the sound of a language that came too late', () => {
  test('is in the recording where it came too late, and in live playlists it stays as it was listed', async (t) => {
    const { engine, french } = await begin(t);
    for (const number of [0, 1]) await sendVideo(engine, number);
    for (const number of [2, 0, 1]) await sendFrench(engine, number, french[number]);
    assert.deepEqual(countsOf(await listed(engine)), [
      [0, 187],
      [0, 188],
    ]);
    await requestEnd(engine.deps, (await streamOf(engine)).value, 'call');
    await work(engine);
    const entries = await listed(engine, 'vod');
    assert.deepEqual(
      entries.flatMap(({ heard }) => heard),
      framesOf(french.slice(0, 3)),
    );
  });

  test('is in what came late of the picture as well, when its own sound comes still later', async (t) => {
    const { engine, french, nextSequence } = await begin(t);
    const { value: stream } = await streamOf(engine);
    await sendVideo(engine, 0);
    await acknowledge(engine, stream, 1, 1);
    await sendVideo(engine, 2);
    engine.clock.nowMs += 200_000;
    await publish(engine, stream);
    assert.equal(await nextSequence(), 3, 'the second is a gap');
    await sendFrench(engine, 0, french[0]);
    await settle(engine, stream, 1, 1);
    assert.equal((await engine.records.lateArrivals(stream)).length, 1);
    for (const number of [3, 2]) await sendFrench(engine, number, french[number]);
    await requestEnd(engine.deps, stream, 'call');
    await work(engine);
    const entries = await listed(engine, 'vod');
    const heard = entries.slice(1).flatMap((entry) => entry.heard);
    assert.deepEqual(heard, framesOf(french.slice(2, 4)));
    assert.deepEqual(countsOf(entries.slice(1)), [
      [187, 1],
      [0, 187],
    ]);
    assert.equal(await storedOf(engine), await bytesOf(engine));
  });

  test('counts as stored, and what has expired of it is removed, however often its pieces were made anew', async (t) => {
    const { engine, french } = await begin(t);
    const { deps, clock, records, workFolder } = engine;
    const found = await streamOf(engine);
    const settings = { ...found.value.settings, retention: { days: 1 } };
    await records.updateStream({ ...found.value, settings }, found.version);
    await sendFrench(engine, 0, french[0]);
    for (const number of [0, 1]) await sendVideo(engine, number);
    clock.nowMs += 60_000;
    await publish(engine, found.value);
    // Each makes the piece of its entry anew.
    for (const number of [2, 3, 1]) await sendFrench(engine, number, french[number]);
    assert.equal((await records.latePiece(found.value, 1, FRENCH.name))?.value.replaced?.length, 2);
    const stored = await storedOf(engine);
    assert.equal(stored, await bytesOf(engine));
    // A request that comes twice.
    const completed = { run: 1, number: 1, track: FRENCH.name };
    await publishStream(deps, { videoId: 'show', uid: found.value.uid, completed });
    assert.equal(await storedOf(engine), stored);
    await requestEnd(deps, found.value, 'call');
    await work(engine);
    for (const _ of ['leaves the playlists', 'is removed']) {
      clock.nowMs += 2 * 86_400_000;
      const { videoId, uid } = found.value;
      const { signal } = new AbortController();
      await JOBS.run(deps, JSON.stringify({ kind: 'retention', videoId, uid }), {
        workFolder,
        signal,
      });
      await work(engine);
    }
    assert.equal(await storedOf(engine), 0);
    assert.deepEqual(
      (await objectsOf(engine)).filter(({ key }) => !key.includes('/init-')),
      [],
    );
  });

  test('has other addresses in the MPD of the recording than live, where it came too late', async (t) => {
    const { engine, french } = await begin(t);
    const { deps } = engine;
    await sendVideo(engine, 0);
    const viewer = createViewer(deps);
    const addressesIn = async (view: 'live' | 'vod') => {
      const { document } = await viewer.dash('show', view, 1);
      const french = document.text
        .split('<AdaptationSet ')
        .find((set) => set.includes('"audio-fr"'));
      const [, media = ''] = french?.match(/ media="([^"]+)"/) ?? [];
      const [, time = ''] = french?.match(/<S t="(\d+)"/) ?? [];
      return media.replace('$RepresentationID$', 'audio-fr').replace('$Time$', time);
    };
    const keyBehind = async (address: string) => {
      const [, , , videoId, rendition, period, segment] = address.split('/');
      const pathParameters = { videoId, rendition, period, segment };
      const event = { pathParameters, headers: {} } as unknown as HttpEvent;
      const { headers } = (await dashSegmentHandler(deps)(event, {} as Context)) as HttpResult;
      return String(headers?.location);
    };
    const listedKey = async (view: 'live' | 'vod') => {
      const { document } = await viewer.media('show', 'audio-fr', view);
      return parseMediaWithHls(document.text).segments[0]?.uri;
    };
    await sendFrench(engine, 0, french[0]);
    await sendVideo(engine, 1);
    const [live, liveKey] = [await addressesIn('live'), await listedKey('live')];
    for (const number of [1, 2, 3]) await sendFrench(engine, number, french[number]);
    await requestEnd(deps, (await streamOf(engine)).value, 'call');
    await work(engine);
    const [recorded, recordedKey] = [await addressesIn('vod'), await listedKey('vod')];
    assert.notEqual(recordedKey, liveKey);
    assert.deepEqual(
      [await keyBehind(live), await keyBehind(recorded)],
      [liveKey, recordedKey].map((uri) => new URL(uri ?? '', 'http://x/').pathname),
    );
  });
});
