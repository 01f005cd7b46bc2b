import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { languageTrack, withTrack } from '../../lib/domain/languages/language-track.ts';
import { digestOf } from '../../lib/pipeline/digest.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import { openLanguage } from '../../lib/pipeline/ingest/language-uploads.ts';
import { commitPresigned, presignUpload } from '../../lib/pipeline/ingest/presigned-upload.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS } from '../support/engine.ts';
import { makeSegments } from '../support/media.ts';
import { publish } from '../support/outcomes.ts';
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
