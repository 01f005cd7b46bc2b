import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DomainError } from '../../lib/domain/errors.ts';
import { TICKS_PER_SECOND } from '../../lib/domain/ticks.ts';
import { inspectSegment } from '../../lib/media/inspect.ts';
import { boxesIn } from '../../lib/media/iso-boxes.ts';
import { remuxRenditions, remuxSource } from '../../lib/media/mux/remux.ts';
import type { TranscodedSegment } from '../../lib/media/transcode-segment.ts';
import { makeSegments } from '../support/media.ts';
import { transcodeRun, workFolder } from './segment-run.ts';

type Decoded = Readonly<{ codec_name: string; start_time: string; nb_read_frames: string }>;

/** Decodes everything: what a player would get. */
function decodeAll(bytes: Uint8Array, name: string): Decoded[] {
  const path = join(workFolder, name);
  writeFileSync(path, bytes);
  const entries = 'stream=codec_name,start_time,nb_read_frames';
  const args = ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', path];
  return (JSON.parse(execFileSync('ffprobe', args).toString()) as { streams: Decoded[] }).streams;
}

const joined = (segment: TranscodedSegment, format: 'mp4' | 'ts') => {
  const { '180p': video, audio } = segment.pieces[0]?.renditions ?? {};
  return remuxRenditions({ ...(video ? { video } : {}), audio: audio ? [audio] : [], format });
};

describe('a file joined from renditions:', () => {
  test('it plays by itself, at its time, in MP4 and MPEG-TS', async () => {
    const run = await transcodeRun(await makeSegments({ seconds: 6, rate: '25' }));
    const segment = run.results[1] ?? assert.fail();
    const samples = run.renditions.audio?.pieces[1]?.startTicks ?? 0;
    for (const format of ['mp4', 'ts'] as const) {
      const bytes = await joined(segment, format);
      const [video, audio] = decodeAll(bytes, `joined.${format}`);
      assert.deepEqual([video?.codec_name, audio?.codec_name], ['h264', 'aac']);
      assert.equal(video?.nb_read_frames, '50');
      assert.ok(
        Math.abs(Number(video?.start_time) - segment.startTicks / TICKS_PER_SECOND) < 0.000_1,
      );
      assert.ok(Math.abs(Number(audio?.start_time) - samples / 48_000) < 0.000_1);
      const { facts } = await inspectSegment(bytes);
      assert.equal(facts.container, format);
      assert.ok(facts.video?.startsClosed);
      assert.ok(Math.abs(facts.endTicks - segment.startTicks - segment.durationTicks) <= 1);
    }
    const order = [...boxesIn(await joined(segment, 'mp4'))].map(({ type }) => type);
    assert.ok(order.indexOf('moov') < order.indexOf('mdat'), order.join());
  });

  test('timestamps in MPEG-TS are modulo 2^33 where the timeline is longer', async () => {
    const run = await transcodeRun(await makeSegments({ seconds: 8, offsetSeconds: 95_440.5 }));
    const segment = run.results.at(-1) ?? assert.fail();
    assert.ok(segment.startTicks > 2 ** 33);
    const { facts } = await inspectSegment(await joined(segment, 'ts'));
    assert.equal(facts.startTicks, segment.startTicks % 2 ** 33);
    assert.equal(facts.endTicks - facts.startTicks, segment.durationTicks);
    assert.ok(Math.abs((facts.audio[0]?.startTicks ?? 0) - facts.startTicks) < 45_000);
  });

  test('it may have audio alone', async () => {
    const run = await transcodeRun(await makeSegments({ seconds: 6, video: 'none' }));
    const [audio] = decodeAll(await joined(run.results[1] ?? assert.fail(), 'mp4'), 'audio.mp4');
    assert.equal(audio?.codec_name, 'aac');
    assert.ok(Number(audio?.nb_read_frames) > 80);
  });
});

describe('a remuxed source segment:', () => {
  test('it keeps its frames, packets and times in each format', async () => {
    for (const container of ['ts', 'fmp4', 'mp4'] as const) {
      const { segments, init } = await makeSegments({ seconds: 4, container });
      const bytes = segments[1]?.bytes ?? assert.fail();
      const source = { bytes, ...(init ? { init } : {}) };
      const { facts: before } = await inspectSegment(bytes, init);
      for (const format of ['mp4', 'ts'] as const) {
        const { facts } = await inspectSegment(await remuxSource({ ...source, format }));
        assert.equal(facts.container, format);
        assert.equal(facts.video?.frames, before.video?.frames);
        assert.equal(facts.audio[0]?.packets, before.audio[0]?.packets);
        assert.ok(Math.abs(facts.startTicks - before.startTicks) <= 1, `${container} ${format}`);
      }
    }
    const [first = assert.fail()] = (await makeSegments({ seconds: 4 })).segments;
    assert.deepEqual(await remuxSource({ bytes: first.bytes, format: 'ts' }), first.bytes);
  });

  test('VP9 and Opus are refused in MPEG-TS, and kept in MP4', async () => {
    const clip = await makeSegments({ seconds: 4, video: 'vp9', audio: 'opus', container: 'fmp4' });
    const source = {
      bytes: clip.segments[0]?.bytes ?? assert.fail(),
      init: clip.init ?? assert.fail(),
    };
    await assert.rejects(remuxSource({ ...source, format: 'ts' }), (error) => {
      assert.ok(error instanceof DomainError);
      assert.equal(error.code, 'unsupported_format');
      assert.match(error.message, /vp9/);
      return true;
    });
    const [video, audio] = decodeAll(await remuxSource({ ...source, format: 'mp4' }), 'vp9.mp4');
    assert.deepEqual([video?.codec_name, audio?.codec_name], ['vp9', 'opus']);
  });
});
