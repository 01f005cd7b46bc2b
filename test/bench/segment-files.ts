/**
 * Files of single segments: how long the handler takes to package one of 4 s in 1080p, and to find it in
 * the store again; and what WebM of a rung costs beside its H.264.
 */

import { readFile } from 'node:fs/promises';
import type { Context } from 'aws-lambda';
import { viewSegmentHandler } from '../../lambdas/api/view-segment.ts';
import type { HttpEvent } from '../../lambdas/runtime/middleware.ts';
import {
  EMPTY_TIMELINE,
  type EntryRendition,
  type TimelineEntry,
} from '../../lib/domain/timeline.ts';
import { encodeWebm } from '../../lib/media/webm/encode-webm.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import {
  placeSegments,
  type SegmentRun,
  transcodePlaced,
  transcodeRun,
} from '../media/segment-run.ts';
import { START_MS, testEngine } from '../support/engine.ts';
import { type Clip, makeSegments } from '../support/media.ts';
import type { Scope } from '../support/system.ts';
import { type Figure, quantile } from './report.ts';
import { withSurroundings } from './surroundings.ts';

const ROUNDS = 31;
/** Until the thread runs and its code is compiled. */
const WARM_UP = 6;
const FORMATS = ['mp4', 'mov', 'ts'] as const;
const HD = { name: '1080p', shortSidePx: 1080, maxrateBps: 4_500_000 };
const RUNG = { name: '720p', shortSidePx: 720, maxrateBps: 2_500_000 };

export const measureSegmentFiles = (): Promise<Figure[]> =>
  withSurroundings(async ({ scope }) => {
    const clip = await makeSegments({
      ...{ seconds: 12, hlsTime: 4, size: '1920x1080', filter: 'noise=alls=10:allf=t' },
      videoArgs: ['-b:v', '6M', '-maxrate', '6M', '-bufsize', '6M'],
    });
    return [...(await measurePackaging(scope, clip)), ...(await measureWebm(clip))];
  });

async function measurePackaging(scope: Scope, clip: Clip): Promise<Figure[]> {
  const { deps, records } = await testEngine(scope);
  const run = await transcodeRun(clip, { ladder: [HD] });
  const stream = { ...newStream('show', START_MS), uid: 'u1' };
  await records.createStream(stream);
  const { entries, renditions } = await storeRun(deps.media, run);
  const [first] = entries;
  const ticks = entries.reduce((sum, { durationTicks }) => sum + durationTicks, 0);
  const state = {
    ...{ ...EMPTY_TIMELINE, renditions, startedAtMs: START_MS },
    ...{ nextSequence: entries.length, endOffsetTicks: ticks },
  };
  await records.appendEntries(stream, entries, state, 0);
  const handler = viewSegmentHandler(deps);
  const request = async (format: string): Promise<readonly [ms: number, key: string]> => {
    const query = { timestamp: '5', format };
    const event = {
      pathParameters: { videoId: 'show' },
      queryStringParameters: query,
      headers: {},
    };
    const startMs = performance.now();
    const { headers } = await handler(event as unknown as HttpEvent, {} as Context);
    return [performance.now() - startMs, String(headers?.location).slice(1)];
  };
  const figures: Figure[] = [];
  for (const format of FORMATS) {
    const made: number[] = [];
    const found: number[] = [];
    for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
      const [madeMs, key] = await request(format);
      const [foundMs] = await request(format);
      await deps.media.delete([key]);
      if (round >= WARM_UP) [made.push(madeMs), found.push(foundMs)];
    }
    const note = `${((first?.renditions['1080p']?.sizeBytes ?? 0) / 1e6).toFixed(1)} MB`;
    const name = `a segment of 4 s in 1080p as ${format}`;
    figures.push({ name: `${name}, median ms`, value: quantile(made, 0.5), note });
    figures.push({ name: `${name}, from the store, median ms`, value: quantile(found, 0.5) });
  }
  return figures;
}

async function storeRun(
  media: Awaited<ReturnType<typeof testEngine>>['deps']['media'],
  run: SegmentRun,
) {
  const entries: TimelineEntry[] = [];
  let offsetTicks = 0;
  for (const [sequence, { startTicks, durationTicks, pieces }] of run.results.entries()) {
    const made: Record<string, EntryRendition> = {};
    for (const [name, { init, media: bytes, ...times }] of Object.entries(
      pieces[0]?.renditions ?? {},
    )) {
      const [key, initKey] = [`media/show/u1/${sequence}-${name}.m4s`, `media/show/u1/${name}.mp4`];
      await media.put(key, bytes, 'video/mp4');
      await media.put(initKey, init, 'video/mp4');
      const { startTicks: from, durationTicks: length } = times;
      const own =
        from === undefined || length === undefined
          ? {}
          : { startTicks: from, durationTicks: length };
      made[name] = { key, initKey, sizeBytes: bytes.byteLength, ...own };
    }
    entries.push({
      ...{ sequence, run: 1, number: sequence, startTicks, durationTicks, offsetTicks },
      ...{ programDateTimeMs: START_MS + offsetTicks / 90, discontinuity: false },
      ...{ discontinuities: 0, renditions: made },
    });
    offsetTicks += durationTicks;
  }
  const totals = { initKey: '', peakBps: 1, sizeBytes: 1, durationTicks: 1 };
  const renditions = Object.fromEntries(
    Object.entries(run.renditions).map(([name, { info }]) => [name, { ...totals, info }]),
  );
  return { entries, renditions };
}

async function measureWebm(clip: Clip): Promise<Figure[]> {
  const placed = await placeSegments(clip);
  const options = { ladder: [RUNG], threads: 1 };
  const ratios: number[] = [];
  let note = '';
  for (let round = 0; round < 3; round += 1) {
    const [h264, { startTicks, durationTicks, pieces }] = await cpuSeconds(() =>
      transcodePlaced(clip, placed, 1, options),
    );
    const { '720p': video, audio } = pieces[0]?.renditions ?? {};
    if (!video || !audio) throw new Error('The segment was not transcoded.');
    const [webm, bytes] = await cpuSeconds(() =>
      encodeWebm({
        video: { ...video, maxrateBps: RUNG.maxrateBps },
        audio: { init: audio.init, media: [audio.media], language: 'und' },
        bounds: { startTicks, endTicks: startTicks + durationTicks },
        ...{ threads: 1, workFolder: '/tmp', signal: new AbortController().signal },
      }),
    );
    ratios.push(webm / h264);
    note = `${h264.toFixed(2)} s and ${(video.media.byteLength / 1e6).toFixed(2)} MB of H.264, ${webm.toFixed(2)} s and ${(bytes.byteLength / 1e6).toFixed(2)} MB of WebM`;
  }
  return [
    { name: 'CPU of WebM in 720p : H.264 of a 1080p source', value: quantile(ratios, 0.5), note },
  ];
}

/** Of this process, and of those that it has started and that have ended meanwhile. */
async function cpuSeconds<T>(
  work: () => Promise<T>,
): Promise<readonly [seconds: number, result: T]> {
  const [own, children] = [process.cpuUsage(), await childSeconds()];
  const result = await work();
  const { user, system } = process.cpuUsage(own);
  return [(user + system) / 1e6 + (await childSeconds()) - children, result];
}

/** In hundredths (proc_pid_stat(5): cutime and cstime). */
async function childSeconds(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'latin1')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
