import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Cue } from '../../lib/domain/captions/caption.ts';
import {
  type CaptionChannel,
  type CaptionPair,
  settledAt,
} from '../../lib/domain/captions/closed-captions.ts';
import { channelsIn, readClosedCaptions } from '../../lib/media/captions/closed-captions.ts';
import { decodeClosedCaptions } from '../../lib/media/captions/decode-608.ts';
import type { DemuxedVideo } from '../../lib/media/demux/demuxed-segment.ts';
import { unitsInSample } from '../../lib/media/demux/nal-units.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { putClosedCaptions } from '../../lib/pipeline/records/closed-caption-records.ts';
import { closedCaptionsOf } from '../../lib/pipeline/view/captions/closed-captions.ts';
import { type JoinedSample, transcodeRun, workFolder } from '../media/segment-run.ts';
import {
  CTA_708,
  erase,
  makeCaptionedSegments,
  type Pair,
  popOn,
  schedule,
} from '../support/closed-captions.ts';
import { acknowledge, publish, settle } from '../support/outcomes.ts';
import { captionedStream } from './caption-set-up.ts';

const FRAME = 3000;
const START = 900_000;

/** Two seconds have sixty frames: the first caption is shown over a seam, the second is sent over one. */
const SENT = schedule(180, { 30: popOn('HELLO <1>'), 80: erase(), 112: popOn('OVER THE SEAM') });
const FIRST = { from: START + 41 * FRAME, to: START + 80 * FRAME, text: 'HELLO &lt;1&gt;' };
const SECOND = { from: START + 125 * FRAME, to: START + 180 * FRAME, text: 'OVER THE SEAM' };

const pairsOf = (samples: readonly JoinedSample[]): CaptionPair[] =>
  readClosedCaptions({
    codec: 'avc',
    *nalFrames() {
      for (const { bytes, ptsTicks } of samples) yield { ptsTicks, units: unitsInSample(bytes, 4) };
    },
  } as unknown as DemuxedVideo);

const frames = (cues: readonly Cue[]) => cues.map(({ from, to, text }) => ({ from, to, text }));

describe('closed captions in the video', () => {
  for (const container of ['ts', 'fmp4'] as const) {
    test(`come unchanged through every rung, over the seams, from ${container}`, async () => {
      const folder = mkdtempSync(join(workFolder, 'captions-'));
      const options = { seconds: 6, container };
      const clip = await makeCaptionedSegments(folder, options, SENT);
      assert.equal(clip.segments.length, 3);
      const { renditions, results } = await transcodeRun(clip, { threads: 1 });
      const source = results.flatMap(({ closedCaptions }) => closedCaptions);
      const first = source[0]?.ticks ?? 0;
      const sent = SENT.flatMap((bytes, index) =>
        bytes[0] === 0 ? [] : [{ ticks: START + index * FRAME, field: 1, bytes }],
      );
      // ffmpeg's muxers delay a stream with B-frames, and round its times.
      const delay = first - (sent[0]?.ticks ?? 0);
      const moved = source.map(({ ticks, ...pair }) => {
        return { ...pair, ticks: Math.round((ticks - delay) / FRAME) * FRAME };
      });
      assert.deepEqual(moved, sent);
      assert.deepEqual(channelsIn(source), ['CC1']);
      assert.equal(Object.keys(renditions).length, 2);
      for (const [name, { pieces }] of Object.entries(renditions)) {
        const samples = pieces.flatMap((piece) => piece.samples);
        assert.deepEqual(pairsOf(samples), source, name);
        const with708 = samples.filter(({ bytes }) => Buffer.from(bytes).includes(CTA_708));
        assert.equal(with708.length, 180, name);
      }
      const whole = decodeClosedCaptions(moved, 'CC1', START, START + 180 * FRAME);
      assert.deepEqual(frames(whole), [FIRST, SECOND]);
    });
  }

  test('are announced, and are a track of captions from the first segment on that has some', async (t) => {
    const { engine, stream, viewer, segments, file } = await captionedStream(t, {
      targetDurationSeconds: 2,
      ladder: [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }],
    });
    const { deps, records, workFolder: folder } = engine;
    const clip = await makeCaptionedSegments(folder, { seconds: 6 }, SENT);
    for (const [number, { bytes }] of clip.segments.entries()) {
      const known = (await records.findStream('show')) ?? assert.fail();
      await uploadSegment(deps, known, { number, bytes, pushed: false, session: 'a' });
    }
    const context = { workFolder: folder, signal: new AbortController().signal };
    for (const number of [0, 1, 2]) {
      const job = { kind: 'transcode', videoId: 'show', uid: 'u1', run: 1, number };
      assert.equal(await JOBS.run(deps, JSON.stringify(job), context), 'done');
      await publish(engine, stream);
    }
    const { text } = (await viewer.multivariant('show')).document;
    assert.deepEqual(text.match(/^#EXT-X-MEDIA.*$/gm), [
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="CC1",DEFAULT=NO,AUTOSELECT=YES,URI="show/captions-cc1.m3u8"',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID="CC1"',
    ]);
    assert.match(text, /SUBTITLES="captions",CLOSED-CAPTIONS="cc"/);
    const shown = (await segments('captions-cc1')).map((one) => one.match(/^[A-Z].*$/gm)?.slice(2));
    assert.deepEqual(shown, [['HELLO &lt;1&gt;'], ['HELLO &lt;1&gt;'], ['OVER THE SEAM']]);
    const whole = (await file('captions-cc1.srt')).text;
    assert.deepEqual(whole.match(/^\d\d:.*\n.*$/gm), [
      '00:00:01,367 --> 00:00:02,667\nHELLO <1>',
      '00:00:04,167 --> 00:00:06,000\nOVER THE SEAM',
    ]);
  });

  test('are decoded in pieces that meet at the seams, each from what came shortly before', () => {
    const pairs = SENT.flatMap((bytes, index): CaptionPair[] =>
      bytes[0] === 0 ? [] : [{ ticks: START + index * FRAME, field: 1, bytes }],
    );
    const pieces = [0, 60, 120].map((from) => {
      const [start, end] = [START + from * FRAME, START + (from + 60) * FRAME];
      return frames(decodeClosedCaptions(pairs, 'CC1', start, end));
    });
    const seam = START + 60 * FRAME;
    assert.deepEqual(pieces, [[{ ...FIRST, to: seam }], [{ ...FIRST, from: seam }], [SECOND]]);
    for (const channel of ['CC2', 'CC3', 'CC4']) {
      assert.deepEqual(decodeClosedCaptions(pairs, channel, START, START + 180 * FRAME), []);
    }
  });

  test('that stay for minutes are shown as long, whatever other channels say meanwhile', async (t) => {
    const { engine, stream } = await captionedStream(t);
    const at = (number: number) => START + number * 4 * 90_000;
    const put = (number: number, pairs: readonly Pair[], field: 1 | 2 = 1) => {
      const timed = pairs.map((bytes, index) => ({
        ...{ ticks: at(number) + index * FRAME, field, bytes },
      }));
      return putClosedCaptions(engine.deps, stream, { run: 1, number }, timed);
    };
    await put(0, popOn('STAYS'));
    for (let number = 1; number < 100; number += 1) await put(number, popOn('OTHER'), 2);
    await put(100, erase());
    const entryOf = (number: number) => ({
      ...{ run: 1, number, startTicks: at(number), durationTicks: 360_000 },
      programDateTimeMs: 0,
    });
    const shown = async (number: number, channel = 'CC1') => {
      const cues = await closedCaptionsOf(engine.deps, stream, entryOf(number), channel);
      return cues.map(({ from, to, text }) => [from - at(number), to - at(number), text]);
    };
    assert.deepEqual(await shown(3), [[0, 360_000, 'STAYS']]);
    assert.deepEqual(await shown(99), [[0, 360_000, 'STAYS']]);
    assert.deepEqual(await shown(100), []);
    assert.deepEqual(await shown(101), []);
    assert.deepEqual(await shown(102, 'CC3'), [[0, 360_000, 'OTHER']]);
  });

  test('are known from the newest command that changes the whole screen', () => {
    const pair = (ticks: number, code: number, field: 1 | 2 = 1) => {
      return { ticks, field, bytes: [0x14, code] } as const;
    };
    const [show, clear, newLine] = [0x2f, 0x2c, 0x2d];
    const pairs = [pair(1, show), pair(2, clear), pair(3, newLine), pair(4, show, 2)];
    assert.equal(settledAt(pairs, 'CC1', 9), 2);
    assert.equal(settledAt(pairs, 'CC1', 1), 1);
    assert.equal(settledAt(pairs, 'CC3', 9), 4);
    assert.equal(settledAt(pairs, 'CC2', 9), undefined);
    const scrolled = Array.from({ length: 9 }, (_, index) => pair(10 + index, newLine));
    assert.equal(settledAt([...pairs, ...scrolled], 'CC1', 99), 11);
  });

  test('whose track was removed stay removed', async (t) => {
    const { engine, stream, viewer, remove } = await captionedStream(t);
    const upload = async (number: number, closedCaptions: readonly CaptionChannel[]) => {
      await acknowledge(engine, stream, 1, number);
      await settle(engine, stream, 1, number, ['360p'], { closedCaptions });
    };
    await upload(0, ['CC1']);
    assert.equal(await remove('captions-cc1'), 204);
    await upload(1, ['CC1', 'CC3']);
    const { text } = (await viewer.multivariant('show')).document;
    assert.deepEqual(text.match(/NAME="CC\d"/g), ['NAME="CC3"', 'NAME="CC3"']);
  });

  test('keep their slant, their colours, and their place when it is not at the bottom', () => {
    const bytes = [
      ...[
        [0x14, 0x20],
        [0x14, 0x2e],
        [0x11, 0x40],
        [0x11, 0x2e],
        [0x41, 0x42],
        [0x11, 0x2a],
      ],
      ...[
        [0x43, 0x44],
        [0x14, 0x2f],
        [0x14, 0x2c],
      ],
    ] as unknown as readonly (readonly [number, number])[];
    const pairs = bytes.map(
      (pair, index): CaptionPair => ({ ticks: index, field: 1, bytes: pair }),
    );
    assert.deepEqual(decodeClosedCaptions(pairs, 'CC1', 0, 100), [
      { from: 7, to: 8, text: '<i>AB</i><c.yellow>CD</c>', settings: 'line:10%' },
    ]);
  });

  test('of damaged or endless messages are no more than what is there', () => {
    const unit = (...bytes: readonly number[]) => Buffer.from([6, 4, ...bytes]);
    const head = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03];
    const read = (units: readonly Uint8Array[]) =>
      readClosedCaptions({
        codec: 'avc',
        *nalFrames() {
          yield { ptsTicks: 1, units };
        },
      } as unknown as DemuxedVideo);
    const pair = [0xfc, 0x94, 0x20];
    assert.equal(read([unit(16, ...head, 0x42, 0xff, ...pair, ...pair, 0x80)]).length, 2);
    assert.equal(read([unit(13, ...head, 0x5f, 0xff, ...pair)]).length, 1);
    assert.equal(read([unit(255, 255)]).length, 0);
    assert.equal(read([unit(13, ...head, 0x02, 0xff, ...pair)]).length, 0);
    const full = unit(
      255,
      0,
      ...head,
      0x5f,
      0xff,
      ...Array.from({ length: 31 }, () => pair).flat(),
    );
    assert.equal(read(Array.from({ length: 5000 }, () => full)).length, 20_026);
  });
});
