import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Context } from 'aws-lambda';
import fc from 'fast-check';
import { viewSegmentHandler } from '../../lambdas/api/view-segment.ts';
import type { HttpEvent, HttpResult } from '../../lambdas/runtime/middleware.ts';
import type { DownloadFormat } from '../../lib/domain/media-format.ts';
import {
  EMPTY_TIMELINE,
  type RenditionInfo,
  type TimelineEntry,
} from '../../lib/domain/timeline.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { chooseSegmentFile } from '../../lib/pipeline/view/segment-file.ts';
import { findMoment } from '../../lib/pipeline/view/segment-moment.ts';
import type { MediaStore } from '../../lib/ports/ports.ts';
import { START_MS, testEngine } from '../support/engine.ts';

const SEGMENT_TICKS = 360_000;
const RANGE = '0 to 16.000 s, from 2026-01-01T00:00:00.000Z to 2026-01-01T00:00:16.000Z';

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

const ALL = ['720p', '480p', '360p', 'audio', 'audio-2'];
/** What each entry has pieces of: the second is a gap, the third and fourth of a run with small video. */
const ENTRIES = [ALL, [], ['360p', 'audio', 'audio-2'], ['360p', 'audio', 'audio-2']];

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
        names.map((name) => [
          name,
          { key: `k/${sequence}/${name}`, initKey: `i/${name}`, sizeBytes: 1 },
        ]),
      ),
    }),
  );
  const totals = { initKey: 'i', peakBps: 1, sizeBytes: 1, durationTicks: 1 };
  const state = {
    ...EMPTY_TIMELINE,
    nextSequence: entries.length,
    endOffsetTicks: entries.length * SEGMENT_TICKS,
    endProgramDateTimeMs: START_MS + entries.length * 4000,
    startedAtMs: START_MS,
    renditions: Object.fromEntries(
      Object.entries(RENDITIONS).map(([name, info]) => [name, { ...totals, info }]),
    ),
  };
  await records.appendEntries(stream, entries, state, 0);
  const find = async (timestamp?: string) =>
    (await findMoment(deps, 'show', timestamp)).entry.sequence;
  /** As if every file were stored already, but for those of an ending: so no muxer runs. */
  const mediaWithout = (ending = 'none'): MediaStore => ({
    ...deps.media,
    get: (key) => deps.media.get(key),
    head: async (key) =>
      key.endsWith(ending) ? undefined : { sizeBytes: 1, contentType: 'video/mp4' },
  });
  const media = mediaWithout();
  /** The renditions in the name of a file, the neighbours that lend it sound, and its format. */
  const partsOf = (key: string) => key.match(/files\/1-\d{10}-\d+-(.*)$/)?.[1];
  const choose = async (timestamp: string, resolution?: string, language?: string) => {
    const moment = await findMoment(deps, 'show', timestamp);
    const choice = { format: 'mp4', resolution, language } as const;
    const file = await (await chooseSegmentFile({ ...deps, media }, moment, choice)).request();
    return file.type === 'ready' ? partsOf(file.key) : file.type;
  };
  /** `lacking`: the ending of files that are not made yet. */
  const request = async (query: Query, accept?: string, lacking?: string) => {
    const headers = accept === undefined ? {} : { accept };
    const event = { pathParameters: { videoId: 'show' }, queryStringParameters: query, headers };
    const handler = viewSegmentHandler({ ...deps, media: mediaWithout(lacking) });
    return handler(event as unknown as HttpEvent, {} as Context);
  };
  const redirect = async (query: Query, accept?: string, lacking?: string) =>
    partsOf(String((await request(query, accept, lacking)).headers?.location));
  /** Bytes of the source that its record speaks of; nothing is stored. */
  const chooseSource = async (
    given: Readonly<{
      sizeBytes?: number;
      codec?: 'avc' | 'vp9';
      format?: DownloadFormat;
      lang?: string;
    }>,
  ) => {
    const { sizeBytes = 1, codec = 'avc', format = 'mp4', lang } = given;
    const facts = sourceFacts(codec);
    const sourceKey = 'sources/show/0.ts';
    const segment = {
      ...{ run: 1, number: 0, digest: 'd', sizeBytes, sourceKey, facts, preroll: [] },
      ...{ timestampOffsetTicks: 0, uploadedAtMs: START_MS },
    };
    await records.recordSegment(stream, segment);
    const moment = await findMoment(deps, 'show', '0');
    const choice = { format, resolution: 'source', language: lang } as const;
    return (await chooseSegmentFile(deps, moment, choice)).request();
  };
  return { deps, records, stream, find, choose, request, redirect, chooseSource };
}

type Query = Readonly<Record<string, string>>;

/** H.264 with AAC, or VP9 with Opus. */
function sourceFacts(codec: 'avc' | 'vp9') {
  const times = { startTicks: 0, endTicks: SEGMENT_TICKS };
  const video = { codec, codecString: codec, widthPx: 1280, heightPx: 720, frames: 120 };
  const format = { codec: codec === 'avc' ? 'aac' : 'opus', codecString: '', channels: 2 } as const;
  const sound = { trackId: 7, packets: 1, samplesPerPacket: 1024, sampleRateHz: 48_000 };
  return {
    container: 'fmp4',
    ...times,
    video: { ...video, ...times, framesPerSecond: 30, startsClosed: true },
    audio: [{ ...format, ...sound, ...times, language: 'en' }],
  } as const;
}

const codeOf = ({ statusCode, body }: HttpResult) => [statusCode, JSON.parse(body ?? '{}').code];

describe('the segment at a timestamp', () => {
  test('is found by seconds from the start, by an ISO 8601 instant, or is the newest', async (t) => {
    const { find } = await start(t);
    for (const [timestamp, sequence] of [
      ['0', 0],
      ['3.999', 0],
      ['2026-01-01T00:00:00Z', 0],
      ['2026-01-01T00:00:03.999Z', 0],
      ['2026-01-01T01:00:08+01:00', 2],
      [undefined, 3],
    ] as const) {
      assert.equal(await find(timestamp), sequence, timestamp);
    }
  });

  test('is none before the start and after the end; the hint says what there is', async (t) => {
    const { find } = await start(t);
    const outside = ['16', '-1', '-0.001', '2025-12-31T23:59:59.999Z', '2026-01-01T00:00:16Z'];
    for (const timestamp of [...outside, '9'.repeat(300)]) {
      await assert.rejects(find(timestamp), {
        code: 'moment_not_found',
        message: `Stream "show" has nothing at ${timestamp}.`,
        hint: `It has ${RANGE}.`,
      });
    }
  });

  test('is none in a gap; the message says where that is', async (t) => {
    const { find } = await start(t);
    for (const timestamp of ['4', '7.999', '2026-01-01T00:00:04Z']) {
      await assert.rejects(find(timestamp), {
        code: 'moment_not_found',
        message: 'There is a gap from 4.000 to 8.000 s: segment 1 never came.',
        hint: `Ask for a moment before or after it. It has ${RANGE}.`,
      });
    }
  });

  test('is refused for what is neither seconds nor an instant', async (t) => {
    const { find } = await start(t);
    for (const timestamp of ['noon', 'NaN', '1e3', '2026-13-01', '', '0,4', '--1', '0x1', ' ']) {
      const message = `"${timestamp}" is not a valid timestamp.`;
      await assert.rejects(find(timestamp), { code: 'bad_request', message });
    }
  });
});

describe('the file of a segment', () => {
  test('holds the tallest video and the default audio, with sound of its neighbours', async (t) => {
    const { choose } = await start(t);
    assert.equal(await choose('0'), '720p-audio-00.mp4', 'beside a gap');
    assert.equal(await choose('8'), '360p-audio-01.mp4');
    assert.equal(await choose('12'), '360p-audio-10.mp4', 'the newest');
  });

  test('holds the resolution that was asked for, or the piece that stands in for it', async (t) => {
    const { choose } = await start(t);
    assert.equal(await choose('0', '480p'), '480p-audio-00.mp4');
    assert.equal(await choose('8', '720p'), '360p-audio-01.mp4');
  });

  test('holds the nearest rung below a size, or the smallest', async (t) => {
    const { choose } = await start(t);
    for (const [asked, rung] of [
      ['1080p', '720p'],
      ['1920x1080', '720p'],
      ['1080x1920', '720p'],
      ['719', '480p'],
      ['480P', '480p'],
      ['144p', '360p'],
    ] as const) {
      assert.equal(await choose('0', asked), `${rung}-audio-00.mp4`, asked);
    }
    for (const asked of ['', 'best', '0', '-720', '72000p', '1e3', '480p,720p', 'NaN', '720p '])
      await assert.rejects(choose('0', asked), {
        code: 'rendition_not_found',
        message: `The stream has no resolution "${asked}".`,
        hint: 'Ask for 720p, 480p, 360p or source.',
      });
  });

  test('holds the audio of the lang that was asked for', async (t) => {
    const { choose } = await start(t);
    assert.equal(await choose('0', undefined, 'de'), '720p-audio-2-00.mp4');
    assert.equal(await choose('0', '360p', 'de-AT'), '360p-audio-2-00.mp4');
    await assert.rejects(choose('0', undefined, 'fr'), {
      code: 'rendition_not_found',
      hint: 'It has en, de.',
    });
  });

  test('is what the query of a request asks for: timestamp, format, resolution, lang', async (t) => {
    const { request, redirect } = await start(t);
    assert.equal(await redirect({}), '360p-audio-10.mp4');
    const query = { timestamp: '0', format: 'mov', resolution: '900p', lang: 'de-CH' };
    const { statusCode, headers } = await request(query);
    assert.equal(statusCode, 302);
    const { location, ...others } = headers ?? {};
    assert.match(String(location), /720p-audio-2-00\.mov$/);
    assert.deepEqual(others, {
      'cache-control': 'public, max-age=10',
      'rivulet-resolution': '720p',
      'rivulet-language': 'de',
    });
  });

  test('is in a format that the Accept header takes, if the query names none', async (t) => {
    const { request, redirect } = await start(t);
    const at = { timestamp: '0' };
    for (const [accept, format] of [
      [undefined, 'mp4'],
      ['', 'mp4'],
      ['*/*', 'mp4'],
      ['text/html,application/xhtml+xml,image/avif,*/*;q=0.8', 'mp4'],
      ['video/webm, video/ogg, video/*;q=0.9, */*;q=0.5', 'webm'],
      ['video/quicktime, video/mp4;q=0.9', 'mov'],
      ['video/mp4;q=0, video/*;q=0.1, video/mp2t', 'ts'],
    ] as const) {
      assert.equal(await redirect(at, accept), `720p-audio-00.${format}`, accept);
    }
    assert.equal((await request(at, 'video/mp4')).headers?.vary, 'accept');
    assert.equal((await request({ ...at, format: 'ts' }, 'video/mp4')).headers?.vary, undefined);
    for (const accept of ['image/png', 'video/ogg;q=0.5', '*/*;q=0']) {
      assert.deepEqual(codeOf(await request(at, accept)), [406, 'not_acceptable']);
    }
  });

  test('of a client that prefers WebM, but takes MP4, is MP4 until the WebM is there', async (t) => {
    const { request, redirect } = await start(t);
    const accept = 'video/webm, video/ts;q=0.9, video/mp4;q=0.8';
    assert.equal(await redirect({ timestamp: '0' }, accept), '720p-audio-00.webm');
    assert.equal(await redirect({ timestamp: '0' }, accept, '.webm'), '720p-audio-00.mp4');
    const only = await request({ timestamp: '0' }, 'video/webm', '.webm');
    assert.equal(only.statusCode, 202);
    assert.equal(only.headers?.vary, 'accept');
  });

  test('is made as WebM by one job of the class backfill, however many ask', async (t) => {
    const { deps, request } = await start(t);
    for (let count = 0; count < 3; count += 1) {
      const { statusCode, headers, body } = await request(
        { timestamp: '8', format: 'webm' },
        '',
        '.webm',
      );
      assert.equal(statusCode, 202);
      assert.equal(headers?.['retry-after'], '2');
      assert.deepEqual(JSON.parse(body ?? ''), { ready: false, progress: 0, retryAfterSeconds: 2 });
    }
    const jobs = await deps.queues.backfillJobs.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    const [job, ...more] = jobs.map(({ body }) => JSON.parse(body));
    assert.deepEqual(more, []);
    assert.deepEqual(job, {
      ...{ kind: 'webm', videoId: 'show', uid: 'u1' },
      key: 'media/show/u1/files/1-0000000002-720000-360p-audio-01.webm',
      ...{ startTicks: 720_000, endTicks: 1_080_000 },
      picture: { initKey: 'i/360p', key: 'k/2/360p', maxrateBps: 2_500_000 },
      sound: { initKey: 'i/audio', keys: ['k/2/audio', 'k/3/audio'], language: 'en' },
    });
  });

  test('is not made as WebM where the owner has switched that off', async (t) => {
    const { deps, records, stream, request } = await start(t);
    const found = (await records.findStream('show')) ?? assert.fail();
    const settings = { ...stream.settings, webm: 'never' } as const;
    assert.ok(await records.updateStream({ ...stream, settings }, found.version));
    const answer = await request({ timestamp: '0', format: 'webm' });
    assert.deepEqual(codeOf(answer), [400, 'unsupported_format']);
    assert.match(answer.body ?? '', /format=mp4, format=mov or format=ts/);
    assert.equal((await deps.queues.backfillJobs.depth()).ready, 0);
  });

  test('is refused for what nobody can make, with what there is', async (t) => {
    const { request } = await start(t);
    for (const [query, answer] of [
      [{ format: 'avi' }, [400, 'unsupported_format']],
      [{ format: '' }, [400, 'unsupported_format']],
      [{ format: 'mp4,webm' }, [400, 'unsupported_format']],
      [{ format: 'constructor' }, [400, 'unsupported_format']],
      [{ resolution: '__proto__' }, [404, 'rendition_not_found']],
      [{ lang: '' }, [400, 'bad_request']],
      [{ lang: 'en,de' }, [400, 'bad_request']],
      [{ lang: 'xx' }, [404, 'rendition_not_found']],
      [{ timestamp: '' }, [400, 'bad_request']],
      [{ timestamp: 'Infinity' }, [400, 'bad_request']],
      [{ wait: '-1' }, [400, 'bad_request']],
      [{ wait: '1e9' }, [400, 'bad_request']],
    ] as const) {
      assert.deepEqual(codeOf(await request(query)), answer, JSON.stringify(query));
    }
    const { body } = await request({ format: 'avi' });
    assert.match(body ?? '', /Ask for format=mp4, format=webm, format=mov or format=ts\./);
  });

  test('whatever stands in a query, the answer is a file or says why not', async (t) => {
    const { request } = await start(t);
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('0', '720p', 'mp4', 'de'));
    const names = ['timestamp', 'format', 'resolution', 'lang', 'wait'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), text),
        text,
        async (query, accept) => {
          const { statusCode = 0, body } = await request({ ...query, wait: '0' }, accept);
          assert.ok([302, 400, 404, 406].includes(statusCode), body);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('of the source is refused in formats that do not carry it, with those that do', async (t) => {
    const { chooseSource } = await start(t);
    await assert.rejects(chooseSource({ format: 'webm' }), {
      code: 'unsupported_format',
      message: 'The source of segment 0 has H.264 and AAC, which webm cannot carry.',
      hint: 'Ask for format=mp4, format=mov or format=ts, or for one of the renditions (resolution=720p).',
    });
  });

  test('of a VP9 source names MP4 and WebM', async (t) => {
    const { chooseSource } = await start(t);
    await assert.rejects(chooseSource({ codec: 'vp9', format: 'ts' }), {
      hint: 'Ask for format=mp4 or format=webm, or for one of the renditions (resolution=720p).',
    });
  });

  test('of the source in a language that it lacks is refused', async (t) => {
    const { chooseSource } = await start(t);
    await assert.rejects(chooseSource({ lang: 'de' }), { code: 'rendition_not_found' });
  });

  test('is not made of renditions that are gone', async (t) => {
    const { request } = await start(t);
    const answer = await request({ timestamp: '0', format: 'mp4' }, '', '.mp4');
    assert.deepEqual(codeOf(answer), [404, 'moment_not_found']);
  });

  test('is not made of a source that is larger than viewers may ask memory for', async (t) => {
    const { chooseSource } = await start(t);
    await assert.rejects(chooseSource({ sizeBytes: 64_000_001 }), {
      code: 'too_large',
      message: 'The source of segment 0 has 64000001 bytes; up to 64000000 are made into a file.',
    });
  });

  test('is not made of a source that is gone', async (t) => {
    const { chooseSource } = await start(t);
    await assert.rejects(chooseSource({ sizeBytes: 64_000_000 }), { message: /is not kept/ });
  });
});
