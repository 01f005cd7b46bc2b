import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { putCaptionFile, putCues } from '../../lib/pipeline/captions/edit-captions.ts';
import { putMarkers } from '../../lib/pipeline/markers/edit-markers.ts';
import { savedClips } from '../../lib/pipeline/records/clip-records.ts';
import { putClosedCaptions } from '../../lib/pipeline/records/closed-caption-records.ts';
import { saveClip } from '../../lib/pipeline/saved-clips.ts';
import { requestClipFile } from '../../lib/pipeline/view/clips/clip-file.ts';
import { createClipViewer } from '../../lib/pipeline/view/clips/clip-playlists.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { DAY_MS, type KeptShow, keptShow, numbersOf } from '../support/kept-show.ts';
import { readMpd } from '../support/mpd-judge.ts';
import { printedCaptions } from '../support/printed-captions.ts';

const instant = (day: number, seconds = 0): string =>
  new Date(START_MS + day * DAY_MS + 1000 * seconds).toISOString();

/** A segment a day from day 0 to 4; that of day 1 is marked. After nine days 0 and 2 have expired. */
async function daily(t: TestContext, clipped?: number | null) {
  const marked = [{ days: 30, beforeSeconds: 0, afterSeconds: 1 }];
  const show = await keptShow(await testEngine(t), {
    ...{ days: 7, marked },
    ...(clipped !== undefined && { clipped }),
  });
  await show.air([0, 1, 2, 3, 4], DAY_MS);
  await show.end();
  await putMarkers(show.engine.deps, show.stream, [{ id: 'm1', class: 'goal', at: instant(1) }]);
  await show.work();
  return show;
}

/** Takes what has expired out of the recording, and a day later out of the stores. */
async function expire(show: KeptShow): Promise<void> {
  const { clock } = show.engine;
  clock.nowMs = START_MS + 9 * DAY_MS + 4000;
  await show.retain();
  clock.nowMs += DAY_MS;
  await show.retain();
}

describe('captions under retention', () => {
  const track = { language: 'de' };
  const cue = (day: number) => ({
    ...{ id: `c${day}`, text: `Tag ${day}` },
    ...{ from: instant(day), to: instant(day, 2) },
  });

  test('go when nothing that is left shows them, and count in the limits no more', async (t) => {
    const show = await daily(t);
    const { deps } = show.engine;
    const lines = Array.from({ length: 200 }, (_, index) => {
      return `00:00:0${index % 4}.000 --> 00:00:04.000\n${'long '.repeat(10)}${index}\n`;
    });
    const bytes = Buffer.from(`WEBVTT\n\n${lines.join('\n')}`);
    await putCaptionFile(deps, show.stream, track, { bytes, set: 'piece/0', atMs: START_MS });
    await putCues(deps, show.stream, track, [cue(0), cue(1), cue(2), cue(3)]);
    await show.work();
    await putCues(deps, show.stream, track, [{ ...cue(0), text: 'Tag 0, besser' }]);
    await show.work();
    await putCues(deps, show.stream, track, [cue(4)]);
    await show.work();
    assert.deepEqual(
      await deps.media.list('source/show/u1/captions/').then((all) => all.length),
      1,
    );
    const { weight = 0 } = (await show.state()).captions ?? {};
    await expire(show);
    const left = await show.recordsOf('captions', 'captions-change');
    assert.deepEqual(left, [
      'captions-change/0000000000000003',
      'captions-change/0000000000000005',
      'captions-change/0000000000000007',
      'captions/captions-de/cue/c1',
      'captions/captions-de/cue/c3',
      'captions/captions-de/cue/c4',
    ]);
    assert.deepEqual(await deps.media.list('source/show/u1/captions/'), []);
    const { captions } = await show.state();
    assert.deepEqual([captions?.version, captions?.expiredChanges], [7, 4]);
    assert.equal(weight - (captions?.weight ?? 0), 201 + 2 + 2 + 2);
    const text = await printedCaptions(deps, 'show', 'de');
    assert.deepEqual(text.match(/Tag \d.*/g), ['Tag 1', 'Tag 4']);
  });

  test('that were sent again for what has expired are a new change', async (t) => {
    const show = await daily(t);
    const { deps, clock } = show.engine;
    await putCues(deps, show.stream, track, [cue(0), cue(4)]);
    await show.work();
    await expire(show);
    await putCues(deps, show.stream, track, [cue(0)]);
    await show.work();
    assert.equal((await show.state()).captions?.version, 3);
    for (let days = 0; days < 2; days += 1) {
      clock.nowMs += DAY_MS;
      await show.retain();
    }
    // It says where they end.
    assert.deepEqual(await show.recordsOf('captions-change'), ['captions-change/0000000000000003']);
    const text = await printedCaptions(deps, 'show', 'de');
    assert.equal(text.includes('Tag'), false);
  });

  test('that were replaced do not come back when those in their place expire', async (t) => {
    const show = await daily(t);
    const { deps } = show.engine;
    await putCues(deps, show.stream, track, [{ ...cue(4), id: 'moved' }]);
    await show.work();
    await putCues(deps, show.stream, track, [{ ...cue(0), id: 'moved' }]);
    await show.work();
    await putCues(deps, show.stream, track, [cue(3)]);
    await show.work();
    await expire(show);
    const changes = await show.recordsOf('captions-change');
    assert.deepEqual(
      changes.map((sort) => Number(sort.split('/')[1])),
      [1, 2, 3],
    );
    const text = await printedCaptions(deps, 'show', 'de');
    assert.equal(text.includes('Tag 4'), false);
  });

  test('in the video go with their segment', async (t) => {
    const show = await daily(t);
    const pair = { ticks: 0, field: 1, bytes: [0x94, 0x2c] } as const;
    for (const number of [0, 1, 2, 3, 4]) {
      await putClosedCaptions(show.engine.deps, show.stream, { run: 1, number }, [pair]);
    }
    await expire(show);
    assert.deepEqual(await show.recordsOf('closed-captions'), [
      'closed-captions/1/0000000000000001',
      'closed-captions/1/0000000000000003',
      'closed-captions/1/0000000000000004',
    ]);
  });
});

describe('what is made of segments, under retention', () => {
  test('goes with them, whether a record names it or not', async (t) => {
    const show = await daily(t);
    const { media } = show.engine.deps;
    const filesOf = (number: number) => [
      `media/show/u1/720p/1-000000000${number}-orphan.m4s`,
      `media/show/u1/files/1-000000000${number}-900000-720p-audio.mp4`,
      `media/show/u1/pictures/1-000000000${number}-900000-320.jpg`,
      `media/show/u1/thumbnails/1-000000000${number}-aaaaaaaaaaaa.jpg`,
    ];
    for (const key of [0, 1, 2, 3].flatMap(filesOf)) {
      await media.put(key, Buffer.from('x'), 'image/jpeg');
    }
    await expire(show);
    const objects = new Set(await show.objects());
    const left = [0, 1, 2, 3].map((number) => filesOf(number).filter((key) => objects.has(key)));
    assert.deepEqual(left, [[], filesOf(1), [], filesOf(3)]);
  });

  test('of a language that is uploaded alone goes by its wall clock, and its pieces with their entries', async (t) => {
    const show = await daily(t);
    const { records, deps } = show.engine;
    const track = { ...show.stream, track: 'audio-fr' };
    const put = (key: string) => deps.media.put(key, Buffer.alloc(7), 'video/mp4');
    for (const day of [0, 1, 2, 3, 4]) {
      const sourceKey = `source/show/u1/audio-fr/1/000000000${day}-a.ts`;
      await put(sourceKey);
      const startTicks = day * 86_400 * 90_000;
      const run = {
        ...{ run: 1, session: 'fr', explicit: true, firstNumber: 0, audio: [] },
        ...{ createdAtMs: START_MS, anchorTicks: 0, anchorMs: START_MS },
      };
      await records.recordSegment(
        track,
        {
          ...{ run: 1, number: day, digest: `d${day}`, sizeBytes: 7, sourceKey, preroll: [] },
          facts: { container: 'ts', audio: [], startTicks, endTicks: startTicks + 360_000 },
          ...{ timestampOffsetTicks: 0, uploadedAtMs: START_MS },
        },
        day === 0 ? { run } : undefined,
      );
      const key = `media/show/u1/audio-fr/1-000000000${day}-aaaaaaaaaaaa.m4s`;
      await put(key);
      const { value, version } = await records.timeline(show.stream);
      const piece = { key, initKey: show.initKey, sizeBytes: 7 };
      const late = { sequence: day, rendition: 'audio-fr', piece };
      const state = { ...value, storedBytes: (value.storedBytes ?? 0) + 7 };
      assert.ok(await records.recordLatePiece(show.stream, late, state, version));
    }
    const found = await records.findStream('show');
    assert.ok(found);
    const languages = [{ name: 'audio-fr', language: 'fr' }];
    await records.updateStream({ ...found.value, languages }, found.version);
    const before = (await show.state()).storedBytes ?? 0;
    await expire(show);
    const of = async (prefix: string) =>
      (await deps.media.list(prefix)).map((key) => Number(key.match(/0{5,}(\d)-/)?.[1]));
    // Of day 1 pieces are left, and their source is needed no more.
    assert.deepEqual(await of('source/show/u1/audio-fr/'), [3, 4]);
    assert.deepEqual(await of('media/show/u1/audio-fr/'), [1, 3, 4]);
    assert.deepEqual(await show.recordsOf('language-piece'), [
      'language-piece/0000000000000001/audio-fr',
      'language-piece/0000000000000003/audio-fr',
      'language-piece/0000000000000004/audio-fr',
    ]);
    const own = await deps.store.query('stream/show/u1/audio-fr', { from: 'segment/' });
    assert.deepEqual(
      own.map(({ sort }) => sort).filter((sort) => sort.startsWith('segment/')),
      ['segment/1/0000000000000003', 'segment/1/0000000000000004'],
    );
    assert.equal(before - ((await show.state()).storedBytes ?? 0), 2 * (10 + 5 + 7));
  });
});

describe('clips under retention', () => {
  test('have what is left, behind a discontinuity, and say what has expired', async (t) => {
    const show = await daily(t);
    const { deps, clock } = show.engine;
    const viewer = createClipViewer(deps);
    const clip = async () => {
      const query = { from: instant(0), to: instant(5) };
      return numbersOf((await viewer.media('show', '720p', query)).text);
    };
    assert.equal(await clip(), '0 1 2 3 4');
    clock.nowMs = START_MS + 9 * DAY_MS + 4000;
    await show.retain();
    assert.equal(await clip(), '1 / 3 4');
    clock.nowMs += DAY_MS;
    await show.retain();
    assert.equal(await clip(), '1 / 4');
    const gone = { from: instant(0), to: instant(0, 3) };
    await assert.rejects(viewer.media('show', '720p', gone), { code: 'expired' });
    await assert.rejects(requestClipFile(deps, 'show', gone), { code: 'expired' });
  });

  test('whose file was made lose it with what it may hold, and it is another one from then on', async (t) => {
    const show = await daily(t);
    const { deps } = show.engine;
    const query = { from: instant(0), to: instant(5) };
    const keyOf = async () => {
      await requestClipFile(deps, 'show', query);
      const [job] = await deps.queues.backfillJobs.receive({ max: 1, waitMs: 0, leaseMs: 1000 });
      assert.ok(job);
      await deps.queues.backfillJobs.acknowledge([job.receipt]);
      return String((JSON.parse(job.body) as { key: string }).key);
    };
    const before = await keyOf();
    await deps.media.put(before, Buffer.from('x'), 'video/mp4');
    await expire(show);
    assert.equal(await deps.media.head(before), undefined);
    assert.notEqual(await keyOf(), before);
  });

  test('that the owner keeps stay in the recording, and are forgotten when they have expired', async (t) => {
    for (const [clipped, recording, known] of [
      [null, '0 1 2 / 4', [0, 2]],
      [undefined, '1 / 4', []],
    ] as const) {
      const show = await daily(t, clipped);
      const { deps } = show.engine;
      for (const day of [0, 2]) {
        await saveClip(deps, show.stream, { from: instant(day), to: instant(day, 3) });
      }
      await expire(show);
      const version = (await show.state()).kept?.version;
      const clips = await savedClips(deps, show.stream);
      const days = clips.map(({ fromMs }) => (fromMs - START_MS) / DAY_MS).toSorted();
      const shown = numbersOf(await show.media('vod', version));
      assert.deepEqual([shown, days], [recording, known]);
    }
  });
});

describe('MPDs under retention', () => {
  test('of a recording have its address, and a period behind each hole', async (t) => {
    const show = await daily(t);
    const mpd = async (kept?: number) => {
      const { document } = await show.viewer.dash('show', 'vod', undefined, undefined, kept);
      readMpd(document.text);
      return document.text;
    };
    const before = await mpd();
    show.engine.clock.nowMs = START_MS + 9 * DAY_MS + 4000;
    await show.retain();
    assert.equal(await mpd(0), before);
    const timesOf = (text: string) => text.match(/<Period |<S t="\d+"/g);
    const times = [1, 3].flatMap((number) => ['<Period ', `<S t="${900_000 + number * 360_000}"`]);
    assert.deepEqual(timesOf(await mpd(1)), times);
    const offered = (await show.viewer.dash('show')).document.text;
    assert.deepEqual(timesOf(offered), times);
    show.engine.clock.nowMs += DAY_MS / 2;
    await assert.rejects(mpd(0), { query: '?view=vod&kept=1' });
  });

  test('of a live stream keep the start of a period whose first entry is gone', async (t) => {
    const engine = await testEngine(t);
    const show = await keptShow(engine, { days: 1 }, { dvrWindowSeconds: 60 });
    await show.air(Array.from({ length: 40 }, (_, index) => index));
    await show.retain();
    const periodOf = async () => {
      const { text } = (await createViewer(engine.deps).dash('show')).document;
      readMpd(text);
      return text.match(/<Period [^>]*>/)?.[0];
    };
    const before = await periodOf();
    assert.equal(before, '<Period id="0" start="PT0S">');
    for (let day = 1; day < 5; day += 1) {
      engine.clock.nowMs += DAY_MS;
      await show.retain();
    }
    assert.equal(await engine.records.entry(show.stream, 0), undefined);
    assert.equal(await periodOf(), before);
  });
});
