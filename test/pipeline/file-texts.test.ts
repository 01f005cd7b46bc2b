import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileSplitter } from '../../lib/media/split/file-splitter.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { keepSubtitles } from '../../lib/pipeline/jobs/split-file/file-texts.ts';
import { findCueSet } from '../../lib/pipeline/records/caption-records.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { acknowledge } from '../support/outcomes.ts';

const SECOND = 90_000;
/** Of the file's zero in the timeline's clock. */
const ZERO = 20 * SECOND;

const webvtt = (...cues: readonly string[]) => Buffer.from(`WEBVTT\n\n${cues.join('\n\n')}\n`);
const plain = { language: 'eng', isForced: false, isForHearingImpaired: false };

test('subtitles of a file are captions in each of its runs, by that run’s clock; what is left out is said', async (t) => {
  const engine = await testEngine(t);
  const { deps, records } = engine;
  const stream = newStream('show', START_MS);
  await records.createStream(stream);
  for (const run of [1, 2]) await acknowledge(engine, stream, run, 0);
  const earlierRuns = [{ session: 'session-1', fromSeconds: 0 }];
  const cut = { session: 'session-2', nextNumber: 1, steps: 1, seconds: 8 };
  const file = {
    ...{ fileId: 1, name: 'film.mkv', sizeBytes: 9, state: 'processing' as const },
    ...{ storedBytes: 9, createdAtMs: START_MS, touchedAtMs: START_MS },
    cut: { ...cut, encodesFromSeconds: 4, earlierRuns },
  };
  const splitter = new FileSplitter({ sizeBytes: 0, read: async () => new Uint8Array() });
  t.after(() => splitter.close());
  const tracks = [
    {
      ...plain,
      webvtt: webvtt(
        '00:01.000 --> 00:02.000\none',
        '00:03.000 --> 00:05.000\nover',
        '00:06.000 --> 00:07.000 line:0\ntwo',
      ),
    },
    { ...plain, webvtt: webvtt('00:01.000 --> 00:02.000\nagain') },
    { ...plain, isForced: true, webvtt: webvtt('00:05.000 --> 00:06.000\nforced') },
    { ...plain, isForHearingImpaired: true, webvtt: webvtt('00:01.000 --> 00:02.000\n[music]') },
    { ...plain, language: 'ger', webvtt: webvtt('00:02.000 --> 00:01.000\nbackwards') },
    { ...plain, language: 'fre', webvtt: undefined },
  ];
  const parse = (bytes: Uint8Array) => splitter.parseCaptions(bytes);
  const keep = () => keepSubtitles(deps, stream, file, tracks, parse);
  const notices = await keep();
  assert.deepEqual(
    notices.map(({ code, message }) => `${code}: ${message}`),
    [
      'subtitles: Subtitles 1 (en) are shown as captions; cues: 3.',
      'track_ignored: Subtitles 2 (en) are left out: another track has the same language and purpose.',
      'subtitles: Subtitles 3 (en) are shown as captions; cues: 1.',
      'subtitles: Subtitles 4 (en) are shown as captions; cues: 1.',
      'track_ignored: Subtitles 5 (de) are left out: line 3: the cue ends at 00:01.000, which is not after its start at 00:02.000.',
      'track_ignored: Subtitles 6 (fr) are left out: they are pictures, or cannot be read.',
    ],
  );
  const setOf = async (run: number, track = 'captions-en') =>
    (await findCueSet(deps, stream, { track, set: `whole-file-1/${run}` }))?.value;
  const cue = (from: number, to: number, text: string) => {
    return { from: ZERO + from * SECOND, to: ZERO + to * SECOND, text };
  };
  assert.deepEqual((await setOf(1))?.content, {
    clock: 'run 1',
    cues: [cue(1, 2, 'one'), cue(3, 5, 'over')],
  });
  assert.deepEqual((await setOf(2))?.content, {
    clock: 'run 2',
    cues: [cue(0, 1, 'over'), { ...cue(2, 3, 'two'), settings: 'line:0' }],
  });
  assert.deepEqual((await setOf(2, 'captions-en-forced'))?.track, {
    ...{ language: 'en', isForced: true },
  });
  assert.deepEqual((await setOf(1, 'captions-en-sdh'))?.track, { language: 'en', isSdh: true });
  const { revision } = (await setOf(1)) ?? assert.fail();
  await keep();
  assert.equal((await setOf(1))?.revision, revision, 'a step that is done again changes nothing');
});
