import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { dashSegmentHandler } from '../../lambdas/api/dash-segment.ts';
import type { HttpEvent, HttpResult } from '../../lambdas/runtime/middleware.ts';
import { languageTrack, withTrack } from '../../lib/domain/language-track.ts';
import { storedBytesOf } from '../../lib/domain/segment.ts';
import { ticksToMs } from '../../lib/domain/ticks.ts';
import { silentFrame } from '../../lib/media/audio/silence.ts';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { digestOf } from '../../lib/pipeline/digest.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { openLanguage } from '../../lib/pipeline/ingest/language-uploads.ts';
import { commitPresigned, presignUpload } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';

/** Short, for messages. */
const nameOf = (frame: Uint8Array): string => digestOf(frame).slice(0, 8);
const SILENT = nameOf(silentFrame(2));
const FRENCH = languageTrack('fre', false);

/** Entries of four seconds, beside sound in segments of two. */
async function begin(t: TestContext) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4 };
  await engine.records.createStream({ ...made, settings });
  const sound = await makeSegments({ seconds: 8, video: 'none' });
  const nextSequence = async () =>
    (await engine.records.timeline((await streamOf(engine)).value)).value.nextSequence;
  const french = await Promise.all(
    sound.segments.map(async ({ bytes }) => ({ bytes, ...(await readSound(bytes)) })),
  );
  const [{ startMs: zeroMs = 0 } = {}] = french;
  return {
    engine,
    french: french.map(({ startMs, ...one }) => ({ ...one, atMs: START_MS + startMs - zeroMs })),
    nextSequence,
  };
}

/** A segment of sound, and when it begins. */
type Sound = Readonly<{ bytes: Uint8Array; frames: readonly string[]; atMs: number }>;

async function readSound(bytes: Uint8Array) {
  const { packets = [] } = (await demuxSegment(bytes)).audio[0] ?? {};
  const frames = packets.map((packet) => nameOf(packet.bytes));
  return { frames, startMs: ticksToMs(packets[0]?.startTicks ?? 0) };
}

const framesOf = (segments: readonly Sound[]): string[] => segments.flatMap(({ frames }) => frames);

const streamOf = async ({ records }: TestEngine) =>
  (await records.findStream('show')) ?? assert.fail();

/** A segment of the stream, which is at once transcoded. */
async function sendVideo(engine: TestEngine, number: number, run = 1): Promise<void> {
  const { value } = await streamOf(engine);
  await acknowledge(engine, value, run, number);
  await settle(engine, value, run, number);
}

async function sendFrench(
  engine: TestEngine,
  number: number,
  sound: Pick<Sound, 'bytes' | 'atMs'> | undefined,
  { session = 'dub', delayMs = 0 } = {},
) {
  const { bytes, atMs } = sound ?? assert.fail();
  const stream = await openLanguage(engine.deps, await streamOf(engine), FRENCH);
  const upload = { number, session, bytes, atMs: atMs + delayMs, pushed: false };
  const sent = await uploadSegment(engine.deps, stream, upload);
  await work(engine);
  return sent;
}

async function drain(queue: WorkQueue, take: (body: string) => Promise<unknown>): Promise<void> {
  for (;;) {
    const [delivery] = await queue.receive({ max: 1, waitMs: 0, leaseMs: 20_000 });
    if (!delivery) return;
    await take(delivery.body);
    await queue.acknowledge([delivery.receipt]);
  }
}

/** Does all jobs that are queued, and publishes. */
async function work({ deps, workFolder }: TestEngine): Promise<void> {
  const { signal } = new AbortController();
  await drain(deps.queues.liveJobs, (body) => JOBS.run(deps, body, { workFolder, signal }));
  await drain(deps.queues.publish, (body) =>
    publishStream(deps, publishRequest.parse(JSON.parse(body))),
  );
}

/** The frames that each entry of the French audio lists; silent ones are counted. */
async function listed({ deps }: TestEngine, view: 'live' | 'vod' = 'live') {
  const { document } = await createViewer(deps).media('show', 'audio-fr', view);
  const { segments } = parseMediaWithHls(document.text);
  const load = async (address = ''): Promise<Uint8Array> =>
    (await deps.media.get(new URL(address, 'http://x/').pathname.slice(1))) ?? assert.fail(address);
  return Promise.all(
    segments.map(async ({ uri, mapUri, gap }) => {
      assert.equal(gap, false);
      const { samples } = parseCmaf(Buffer.concat([await load(mapUri), await load(uri)]));
      const frames = samples.map(({ bytes }) => nameOf(bytes));
      const heard = frames.filter((frame) => frame !== SILENT);
      return { heard, silent: frames.length - heard.length };
    }),
  );
}

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

const countsOf = (entries: Awaited<ReturnType<typeof listed>>) =>
  entries.map(({ heard, silent }) => [heard.length, silent]);

describe('a language that is uploaded on its own', () => {
  test('is waited for, and then heard in the entry that its frames begin in: each once', async (t) => {
    const { engine, french, nextSequence } = await begin(t);
    // Half a second behind the picture, by the clocks of both encoders.
    const send = (number: number) => sendFrench(engine, number, french[number], { delayMs: 500 });
    await send(0);
    await sendVideo(engine, 0);
    assert.equal(await nextSequence(), 0, 'the entry lacks the end of its sound');
    // In any order.
    await send(2);
    assert.equal(await nextSequence(), 0);
    await send(1);
    assert.equal(await nextSequence(), 1);
    await send(3);
    await sendVideo(engine, 1);
    const entries = await listed(engine);
    const heard = entries.flatMap((entry) => entry.heard);
    assert.deepEqual(heard, framesOf(french).slice(0, heard.length));
    // Frames of 1,024 samples at 48 kHz: 3.5 s and 4 s.
    assert.deepEqual(countsOf(entries), [
      [165, 24],
      [187, 0],
    ]);
  });

  test('is silence when its encoder has left: after a bounded time, and then at once', async (t) => {
    const { engine, french, nextSequence } = await begin(t);
    const { clock } = engine;
    await sendFrench(engine, 0, french[0]);
    await sendVideo(engine, 0);
    const [{ durationMs }] = [(await sendFrench(engine, 0, french[0])).receipt];
    clock.nowMs += 4000 + durationMs - 1;
    for (const _ of [1, 2, 3]) await publish(engine, (await streamOf(engine)).value);
    assert.equal(await nextSequence(), 0);
    const { ready, delayed } = await engine.deps.queues.delayed.depth();
    // Housekeeping of the language's run, and the end of the wait.
    assert.equal(ready + delayed, 2, 'however often it was tried meanwhile');
    clock.nowMs += 2;
    await publish(engine, (await streamOf(engine)).value);
    assert.equal(await nextSequence(), 1);
    clock.nowMs += 3000;
    await sendVideo(engine, 1);
    assert.equal(await nextSequence(), 2);
    assert.deepEqual(countsOf(await listed(engine)), [
      [94, 94],
      [0, 188],
    ]);
  });

  test('is waited for no longer when its encoder has said the end, which is not that of the stream', async (t) => {
    const { engine, french } = await begin(t);
    const { deps, records } = engine;
    await sendFrench(engine, 0, french[0]);
    const { value } = await openLanguage(deps, await streamOf(engine), FRENCH);
    await requestEnd(deps, value, 'call');
    await sendVideo(engine, 0);
    const { value: state } = await records.timeline((await streamOf(engine)).value);
    assert.deepEqual([state.nextSequence, state.endedAtMs], [1, undefined]);
  });

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

  test('goes on with another session of its encoder, and through another run of the video', async (t) => {
    const { engine, french } = await begin(t);
    for (const number of [0, 1]) await sendFrench(engine, number, french[number]);
    const again = { session: 'dub again' };
    for (const number of [2, 3]) await sendFrench(engine, number, french[number], again);
    await sendVideo(engine, 0);
    engine.clock.nowMs += 4000;
    await sendVideo(engine, 0, 2);
    const entries = await listed(engine);
    const heard = entries.flatMap((entry) => entry.heard);
    assert.deepEqual(heard, framesOf(french).slice(0, heard.length));
    assert.deepEqual(countsOf(entries), [
      [188, 0],
      [187, 0],
    ]);
  });

  test('is announced by its own name, and the country of the viewer decides what is played by default', async (t) => {
    const { engine, french } = await begin(t);
    const { deps, records } = engine;
    const found = await streamOf(engine);
    const defaultAudio = { '*': 'fr', DE: 'de' };
    const settings = { ...found.value.settings, defaultAudio };
    await records.updateStream({ ...found.value, settings }, found.version);
    for (const number of [0, 1]) {
      const { bytes, atMs } = french[number] ?? assert.fail();
      for (const track of [languageTrack('ger', true), languageTrack('pt-br', false), FRENCH]) {
        const stream = await openLanguage(deps, await streamOf(engine), track);
        await uploadSegment(deps, stream, { number, bytes, atMs, pushed: false });
      }
    }
    await work(engine);
    await sendVideo(engine, 0);
    const offered = async (country?: string) => {
      const { document } = await createViewer(deps).multivariant('show', country);
      return document.text.split('\n').filter((line) => line.startsWith('#EXT-X-MEDIA'));
    };
    const media = (label: string, language: string, more: string, name: string) =>
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="${label}",LANGUAGE="${language}",${more},URI="show/${name}.m3u8"`;
    const described = 'CHARACTERISTICS="public.accessibility.describes-video"';
    const flags = (isDefault: string) => `DEFAULT=${isDefault},AUTOSELECT=YES,CHANNELS="2"`;
    assert.deepEqual(await offered('BE'), [
      media('Français', 'fr', flags('YES'), 'audio-fr'),
      media(
        'Deutsch (audio description)',
        'de',
        `${flags('NO')},${described}`,
        'audio-de-described',
      ),
      media('Português (Brasil)', 'pt-BR', flags('NO'), 'audio-pt-br'),
    ]);
    assert.deepEqual(await offered(), await offered('BE'));
    assert.deepEqual((await offered('DE')).slice(0, 2), [
      media(
        'Deutsch (audio description)',
        'de',
        `${flags('YES')},${described}`,
        'audio-de-described',
      ),
      media('Português (Brasil)', 'pt-BR', flags('NO'), 'audio-pt-br'),
    ]);
  });

  test('has receipts of its own, and takes each segment once', async (t) => {
    const { engine, french } = await begin(t);
    await sendVideo(engine, 7);
    const first = await sendFrench(engine, 2, french[0]);
    assert.deepEqual(
      [first.isNew, first.receipt.session, first.receipt.segment, first.receipt.next],
      [true, 'dub', 2, 3],
    );
    assert.equal((await sendFrench(engine, 2, french[0])).isNew, false);
    await assert.rejects(sendFrench(engine, 2, french[1]), { code: 'segment_conflict' });
    const [picture] = (await makeSegments({ seconds: 2, size: '160x90' })).segments;
    await assert.rejects(sendFrench(engine, 3, picture && { ...picture, atMs: START_MS }), {
      code: 'unsupported_media',
    });
    assert.equal((await streamOf(engine)).value.languages?.length, 1);
  });

  test('comes by a presigned upload as well', async (t) => {
    const { engine, french } = await begin(t);
    const { deps, records } = engine;
    const { bytes, atMs } = french[0] ?? assert.fail();
    const stream = await openLanguage(deps, await streamOf(engine), FRENCH);
    const request = {
      ...{ number: 0, session: 'dub', digest: digestOf(bytes), atMs, pushed: false },
      sizeBytes: bytes.byteLength,
    };
    const granted = await presignUpload(deps, stream, request);
    assert.ok('upload' in granted);
    const key =
      new URL(granted.upload.url).pathname.match(/source\/.+\.bin$/)?.[0] ?? assert.fail();
    await deps.media.put(key, bytes, 'application/octet-stream');
    await commitPresigned(deps, key);
    const committed = await presignUpload(deps, stream, request);
    assert.ok('receipt' in committed);
    assert.equal((await records.findSegment(stream.value, 1, 0))?.sourceKey, key);
    assert.deepEqual(await records.runs((await streamOf(engine)).value), []);
  });

  test('goes with its stream', async (t) => {
    const { engine, french } = await begin(t);
    await sendFrench(engine, 0, french[0]);
    const { value, version } = await streamOf(engine);
    const { records, deps } = engine;
    const track = withTrack(value, FRENCH.name);
    assert.equal((await records.runs(track)).length, 1);
    await records.removeStream(value, version);
    await records.removeRecords(value);
    assert.deepEqual(await records.runs(track), []);
    const keys = await deps.media.list(`source/show/${value.uid}/`);
    assert.ok(
      keys.some((key) => key.includes('/audio-fr/')),
      'a prefix of the stream has all',
    );
  });
});
