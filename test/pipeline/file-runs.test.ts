import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import {
  findUploadedFile,
  putUploadedFile,
} from '../../lib/pipeline/records/uploaded-file-records.ts';
import { onDelayedMessage } from '../../lib/pipeline/upkeep/housekeeping.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { ffmpeg } from '../support/ffmpeg.ts';
import { printedCaptions } from '../support/printed-captions.ts';
import { at, context, fileNamed, publishAll, start, work } from './file-set-up.ts';

describe('what becomes of a whole file', () => {
  test('encodes from where the keyframes are too far apart, and keeps what was cut before', async (t) => {
    const path = at('far.mp4');
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=2:d=70', '-c:v', 'libx264', '-g', '9999'],
      ...['-force_key_frames', '0,4', '-sc_threshold', '0', path],
    ]);
    const { engine, stream, take } = await start(t);
    await take(await fileNamed('far.mp4'));
    await work(engine);
    const runs = await engine.records.runs(stream);
    assert.deepEqual(
      runs.map(({ session }) => session),
      ['file-1', 'file-1-2'],
    );
    let frames = 0;
    for (const { run } of runs) {
      for (const number of await engine.records.numbersFrom(stream, run, 0, 99)) {
        frames += (await engine.records.findSegment(stream, run, number))?.facts.video?.frames ?? 0;
      }
    }
    assert.equal(frames, 140);
    await publishAll(engine);
    const entries = await engine.records.entries(stream, 0, 99);
    const [first] = entries;
    const last = entries.at(-1);
    assert.deepEqual(
      entries.filter(({ discontinuity }) => discontinuity).map(({ offsetTicks }) => offsetTicks),
      [4 * 90_000],
    );
    const clockMs = (last?.programDateTimeMs ?? 0) - (first?.programDateTimeMs ?? 0);
    const countedMs = (last?.offsetTicks ?? 0) / 90;
    assert.equal(Math.round(clockMs), Math.round(countedMs), 'the wall clock goes on');
  });

  test('that dies while it encodes goes on from there: each frame once, subtitles at their place', async (t) => {
    const path = at('old.mkv');
    await writeFile(
      at('late.srt'),
      '1\n00:00:01,000 --> 00:00:02,000\nearly\n\n2\n00:00:17,500 --> 00:00:18,500\nlate\n\n',
    );
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=20', '-i', at('late.srt')],
      ...['-map', '0', '-map', '1', '-c:v', 'mpeg4', '-c:s', 'srt', path],
    ]);
    for (const dyingAt of ['before a segment is stored', 'before its job is queued']) {
      const { engine, deps, stream, take, body } = await start(t);
      await take(await fileNamed('old.mkv'));
      let calls = 0;
      const dieAtThird = async <T>(go: () => Promise<T>): Promise<T> => {
        calls += 1;
        if (calls === 3) throw new Error('killed');
        return go();
      };
      const { put } = cachePuts(deps.media);
      const { backfillJobs } = deps.queues;
      const send: WorkQueue['send'] = (jobs) => dieAtThird(() => backfillJobs.send(jobs));
      const dying =
        dyingAt === 'before a segment is stored'
          ? {
              media: {
                ...cachePuts(deps.media),
                put: (...object: Parameters<typeof put>) => dieAtThird(() => put(...object)),
              },
            }
          : { queues: { ...deps.queues, backfillJobs: { send } as WorkQueue } };
      await assert.rejects(JOBS.run({ ...deps, ...dying }, body, context(engine)), /killed/);
      engine.clock.nowMs += 120_000;
      const { uid } = stream;
      await onDelayedMessage(deps, { type: 'housekeeping', videoId: 'show', uid });
      await work(engine);
      await publishAll(engine);
      const runs = await engine.records.runs(stream);
      assert.deepEqual(
        runs.map(({ session }) => session),
        ['file-1', 'file-1-2'],
        dyingAt,
      );
      const entries = await engine.records.entries(stream, 0, 99);
      assert.equal(
        entries.reduce((sum, { durationTicks }) => sum + durationTicks, 0),
        20 * 90_000,
        dyingAt,
      );
      const texts = await printedCaptions(deps, 'show', 'captions-und');
      assert.deepEqual(texts.match(/[\d:.]+ --> [\d:.]+\n\w+/g), [
        '00:00:01.000 --> 00:00:02.000\nearly',
        '00:00:17.500 --> 00:00:18.500\nlate',
      ]);
    }
  });

  test('that dies when all is encoded has only its end left', async (t) => {
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=8', '-c:v', 'mpeg4', at('whole.avi')],
    ]);
    const { engine, deps, stream, take, body } = await start(t);
    await take(await fileNamed('whole.avi'));
    const dying = { ...cachePuts(deps.media), delete: () => Promise.reject(new Error('killed')) };
    await assert.rejects(JOBS.run({ ...deps, media: dying }, body, context(engine)), /killed/);
    const found = (await findUploadedFile(deps, stream)) ?? assert.fail();
    const open = { ...found.value, state: 'processing' as const };
    await putUploadedFile(deps, stream, open, found.version);
    await work(engine);
    await publishAll(engine);
    const { state, file, durationSeconds } = await createViewer(deps).state('show');
    assert.deepEqual([state, file?.state, durationSeconds], ['ended', 'done', 8]);
  });

  test('encodes the picture, too, where its sound is encoded and its keyframes are too far apart', async (t) => {
    await ffmpeg([
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=2:d=70', '-f', 'lavfi', '-i', 'sine=d=70'],
      ...['-c:v', 'libx264', '-g', '9999', '-sc_threshold', '0', '-c:a', 'flac', at('far.mkv')],
    ]);
    const { engine, stream, take } = await start(t);
    await take(await fileNamed('far.mkv'));
    await work(engine, 99, /split/);
    let frames = 0;
    for (const number of await engine.records.numbersFrom(stream, 1, 0, 99)) {
      frames += (await engine.records.findSegment(stream, 1, number))?.facts.video?.frames ?? 0;
    }
    assert.equal(frames, 140);
  });

  test('goes on behind a stream that has ended, by a clock that goes on, too', async (t) => {
    const { engine, deps, stream, take } = await start(t);
    for (const name of ['first.mp4', 'second.mp4']) {
      await take(await fileNamed('film.mp4'), name);
      await work(engine);
      await publishAll(engine);
      engine.clock.nowMs += 1000;
    }
    const { state, file } = await createViewer(deps).state('show');
    assert.deepEqual([state, file?.name, file?.state], ['ended', 'second.mp4', 'done']);
    const entries = await engine.records.entries(stream, 0, 99);
    assert.deepEqual(
      entries.map(({ run, programDateTimeMs }) => [
        run,
        Math.round(programDateTimeMs - (entries[0]?.programDateTimeMs ?? 0)),
      ]),
      [1, 2].flatMap((run) =>
        [0, 2, 4, 6, 8, 10, 12, 14, 16].map((at) => [run, 1000 * ((run - 1) * 20 + at)]),
      ),
    );
  });

  test('shows subtitles of every language as captions, and makes markers of chapters', async (t) => {
    const chapters = [
      [0, 8000, 'The beginning'],
      [8000, 20_000, 'Middle; end = \\ here'],
    ].map(
      ([start, end, title]) =>
        `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=${String(title).replaceAll(/[=;\\]/g, '\\$&')}\n`,
    );
    await writeFile(at('chapters.txt'), `;FFMETADATA1\n${chapters.join('')}`);
    await writeFile(at('en.srt'), '1\n00:00:01,500 --> 00:00:03,000\nGood evening\n\n');
    await writeFile(at('de.srt'), '1\n00:00:01,500 --> 00:00:03,000\nGuten Abend\n\n');
    await ffmpeg([
      ...['-i', at('film.mp4'), '-i', at('en.srt'), '-i', at('de.srt'), '-i', at('chapters.txt')],
      ...['-map', '0', '-map', '1', '-map', '2', '-map', '1', '-map_chapters', '3', '-c', 'copy'],
      ...['-metadata:s:s:0', 'language=eng', '-metadata:s:s:1', 'language=ger'],
      ...['-metadata:s:s:2', 'language=eng', '-disposition:s:1', 'forced', at('texts.mkv')],
    ]);
    const { engine, deps, stream, take } = await start(t);
    await take(await fileNamed('texts.mkv'));
    await work(engine);
    await publishAll(engine);
    const viewer = createViewer(deps);
    const { markers } = await viewer.markers('show', {});
    const [entry] = await engine.records.entries(stream, 0, 0);
    const startMs = entry?.programDateTimeMs ?? assert.fail();
    assert.deepEqual(
      markers.map(({ class: name, text, start, end }) => [
        name,
        text,
        // The priming of the sound has moved the picture by 21 ms, but not the chapters.
        ...[start, end].map((time) => Date.parse(time ?? '') - startMs + 21),
      ]),
      [
        ['chapter', 'The beginning', 0, 8000],
        ['chapter', 'Middle; end = \\ here', 8000, 20_000],
      ],
    );
    const { notices = [] } = (await viewer.state('show')).file ?? {};
    assert.deepEqual(
      notices.map(({ code, message }) => `${code}: ${message}`),
      [
        'subtitles: Subtitles 1 (en) are shown as captions; cues: 1.',
        'subtitles: Subtitles 2 (de) are shown as captions; cues: 1.',
        'track_ignored: Subtitles 3 (en) are left out: another track has the same language and purpose.',
      ],
    );
    const written = (key: string, text: string) =>
      `WEBVTT\n\n${key}\n00:00:01.500 --> 00:00:03.000\n${text}\n\n`;
    assert.equal(
      await printedCaptions(deps, 'show', 'captions-en'),
      written('c1-0', 'Good evening'),
    );
    assert.equal(
      await printedCaptions(deps, 'show', 'captions-de-forced'),
      written('c2-0', 'Guten Abend'),
    );
  });
});
