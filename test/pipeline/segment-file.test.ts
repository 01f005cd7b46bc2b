import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { viewSegmentHandler } from '../../lambdas/api/view-segment.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import {
  EMPTY_TIMELINE,
  type RenditionInfo,
  type TimelineEntry,
} from '../../lib/domain/timeline.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { findMoment, joinSegment } from '../../lib/pipeline/view/segment-file.ts';
import { START_MS, testEngine } from '../support/engine.ts';

const SEGMENT_TICKS = 360_000;

const video = (heightPx: number): RenditionInfo => ({
  kind: 'video',
  codecString: 'avc1.64001f',
  widthPx: (heightPx * 16) / 9,
  heightPx,
  framesPerSecond: 30,
});

const audio = (language: string): RenditionInfo => ({
  kind: 'audio',
  codecString: 'mp4a.40.2',
  channels: 2,
  sampleRateHz: 48_000,
  language,
});

const RENDITIONS = {
  '720p': video(720),
  '480p': video(480),
  '360p': video(360),
  audio: audio('en'),
  'audio-2': audio('de'),
};

/** What each entry has pieces of: the second is a gap, the third of a run with small video. */
const ENTRIES = [['720p', '480p', '360p', 'audio', 'audio-2'], [], ['360p', 'audio', 'audio-2']];

async function start(t: TestContext) {
  const { deps, records } = await testEngine(t);
  const stream = { ...newStream('show', START_MS), uid: 'u1' };
  await records.createStream(stream);
  const entries = ENTRIES.map(
    (names, sequence): TimelineEntry => ({
      sequence,
      run: 1,
      number: sequence,
      startTicks: sequence * SEGMENT_TICKS,
      durationTicks: SEGMENT_TICKS,
      offsetTicks: sequence * SEGMENT_TICKS,
      programDateTimeMs: START_MS + sequence * 4000,
      discontinuity: false,
      discontinuities: 0,
      renditions: Object.fromEntries(
        names.map((name) => [name, { key: `k/${name}`, initKey: `i/${name}`, sizeBytes: 1 }]),
      ),
    }),
  );
  const totals = { initKey: 'i', peakBps: 1, sizeBytes: 1, durationTicks: 1 };
  const state = {
    ...EMPTY_TIMELINE,
    nextSequence: entries.length,
    endOffsetTicks: entries.length * SEGMENT_TICKS,
    startedAtMs: START_MS,
    renditions: Object.fromEntries(
      Object.entries(RENDITIONS).map(([name, info]) => [name, { ...totals, info }]),
    ),
  };
  await records.appendEntries(stream, entries, state, 0);
  const find = async (timestamp?: string) =>
    (await findMoment(deps, 'show', timestamp)).entry.sequence;
  // Every file is stored already, so no muxer runs.
  const media = {
    ...deps.media,
    head: async () => ({ sizeBytes: 1, contentType: 'video/mp4' }),
  };
  /** The renditions in the name of a joined file. */
  const renditionsIn = (key: string) => key.match(/joined\/1-\d{10}-\d+-(.*)\.mp4$/)?.[1];
  const join = async (timestamp: string, resolution?: string, language?: string) => {
    const moment = await findMoment(deps, 'show', timestamp);
    const choice = { format: 'mp4', resolution, language } as const;
    return renditionsIn(await joinSegment({ ...deps, media }, moment, choice));
  };
  /** The same by a request with this query. */
  const request = async (query: Readonly<Record<string, string>>) => {
    const event = { pathParameters: { videoId: 'show' }, queryStringParameters: query };
    const handler = viewSegmentHandler({ ...deps, media });
    const { headers } = await handler(event as unknown as HttpEvent, {} as Context);
    return renditionsIn(String(headers?.location));
  };
  /** Bytes of the source that its record speaks of; nothing is stored. */
  const joinSource = async (sizeBytes: number) => {
    const facts = { container: 'ts', audio: [], startTicks: 0, endTicks: 1 } as const;
    const sourceKey = 'sources/show/0.ts';
    const segment = {
      ...{ run: 1, number: 0, digest: 'd', sizeBytes, sourceKey, facts, preroll: [] },
      ...{ timestampOffsetTicks: 0, uploadedAtMs: START_MS },
    };
    await records.recordSegment(stream, segment);
    const moment = await findMoment(deps, 'show', '0');
    return joinSegment(deps, moment, { format: 'mp4', resolution: 'source' });
  };
  return { find, join, joinSource, request };
}

describe('the segment at a timestamp', () => {
  test('is found by seconds from the start, by an ISO 8601 instant, or is the newest', async (t) => {
    const { find } = await start(t);
    for (const [timestamp, sequence] of [
      ['0', 0],
      ['3.999', 0],
      ['4', 1],
      ['2026-01-01T00:00:00Z', 0],
      ['2026-01-01T00:00:03.999Z', 0],
      ['2026-01-01T00:00:04Z', 1],
      ['2026-01-01T01:00:08+01:00', 2],
      [undefined, 2],
    ] as const) {
      assert.equal(await find(timestamp), sequence, timestamp);
    }
  });

  test('is none before the start and after the end; the hint says what there is', async (t) => {
    const { find } = await start(t);
    for (const timestamp of ['12', '2025-12-31T23:59:59.999Z', '2026-01-01T00:00:12Z']) {
      await assert.rejects(find(timestamp), {
        code: 'moment_not_found',
        hint: 'It has 12.000 s, from 2026-01-01T00:00:00.000Z on.',
      });
    }
  });

  test('is refused for what is neither seconds nor an instant', async (t) => {
    const { find } = await start(t);
    for (const timestamp of ['noon', '-1', '1e3', '2026-13-01', '']) {
      const message = `"${timestamp}" is not a valid timestamp.`;
      await assert.rejects(find(timestamp), { code: 'bad_request', message });
    }
  });
});

describe('the file of a segment', () => {
  test('holds the tallest video and the default audio', async (t) => {
    const { join } = await start(t);
    assert.equal(await join('0'), '720p-audio');
  });

  test('holds the resolution that was asked for, or its nearest fallback', async (t) => {
    const { join } = await start(t);
    assert.equal(await join('0', '480p'), '480p-audio');
    assert.equal(await join('8', '720p'), '360p-audio');
    assert.equal(await join('0', 'source'), 'source-audio');
    await assert.rejects(join('0', '1080p'), { code: 'rendition_not_found' });
  });

  test('holds the audio of the lang that was asked for', async (t) => {
    const { join } = await start(t);
    assert.equal(await join('0', undefined, 'de'), '720p-audio-2');
    assert.equal(await join('0', '360p', 'de-AT'), '360p-audio-2');
    await assert.rejects(join('0', undefined, 'fr'), { code: 'rendition_not_found' });
  });

  test('is what the query of a request asks for: timestamp, resolution, lang', async (t) => {
    const { request } = await start(t);
    assert.equal(await request({}), '360p-audio');
    const query = { timestamp: '0', resolution: '480p', lang: 'de' };
    assert.equal(await request(query), '480p-audio-2');
    assert.equal(await request({ timestamp: '0', lang: 'de' }), '720p-audio-2');
    assert.equal(await request({ timestamp: '0', resolution: '480p' }), '480p-audio');
  });

  test('is not made of a source that is larger than viewers may ask memory for', async (t) => {
    const { joinSource } = await start(t);
    await assert.rejects(joinSource(64_000_001), {
      code: 'too_large',
      message: 'The source of segment 0 has 64000001 bytes; up to 64000000 are made into a file.',
    });
  });

  test('is not made of a source that is gone', async (t) => {
    const { joinSource } = await start(t);
    await assert.rejects(joinSource(64_000_000), { message: /is not kept/ });
  });

  test('is not made of a gap', async (t) => {
    const { join } = await start(t);
    await assert.rejects(join('4'), { code: 'moment_not_found' });
  });
});
