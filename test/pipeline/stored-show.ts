/** A stream with a gap and two languages, stored as it is listed, and requests for its segments as files. */

import type { Context } from 'aws-lambda';
import { viewSegmentHandler } from '../../lambdas/api/view-segment.ts';
import type { HttpEvent, HttpResult } from '../../lambdas/runtime/middleware.ts';
import type { DownloadFormat } from '../../lib/domain/media-format.ts';
import {
  EMPTY_TIMELINE,
  type RenditionInfo,
  type TimelineEntry,
} from '../../lib/domain/timeline.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { chooseSegmentFile } from '../../lib/pipeline/view/segment-files/segment-file.ts';
import { findMoment } from '../../lib/pipeline/view/segment-files/segment-moment.ts';
import type { MediaStore } from '../../lib/ports/ports.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import type { Scope } from '../support/system.ts';

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

const ALL = ['720p', '480p', '360p', 'audio', 'audio-2'];
/** What each entry has pieces of: the second is a gap, the third and fourth of a run with small video. */
const ENTRIES = [ALL, [], ['360p', 'audio', 'audio-2'], ['360p', 'audio', 'audio-2']];

export async function storedShow(t: Scope) {
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
  return { deps, records, stream, state, find, choose, request, redirect, chooseSource };
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

export const codeOf = ({ statusCode, body }: HttpResult) => [
  statusCode,
  JSON.parse(body ?? '{}').code,
];
