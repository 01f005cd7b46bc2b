/** A stream whose segments are stored as objects, without any media, so that a test sees which are left. */

import assert from 'node:assert/strict';
import {
  posterKey,
  renditionInitKey,
  renditionSegmentKey,
  sourceSegmentKey,
} from '../../lib/domain/object-keys.ts';
import type { RetentionSettings } from '../../lib/domain/retention/retention.ts';
import type { SegmentOutcome } from '../../lib/domain/segment.ts';
import type { Stream, StreamSettings } from '../../lib/domain/stream.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import type { WorkerDeps } from '../../lib/pipeline/deps.ts';
import { requestEnd } from '../../lib/pipeline/ingest/end.ts';
import type { JobContext } from '../../lib/pipeline/jobs/job-kind.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import { START_MS, type TestEngine } from './engine.ts';

export const DAY_MS = 86_400_000;
const SEGMENT_TICKS = 360_000;
const FIRST_TICKS = 900_000;
const SOURCE_BYTES = 10;
const RENDITION_BYTES = 5;

export type KeptShow = Awaited<ReturnType<typeof keptShow>>;

/** Segments of four seconds, with a rendition each; the clock is the test's. */
export async function keptShow(
  engine: TestEngine,
  retention: RetentionSettings | null,
  settings: Partial<StreamSettings> = {},
) {
  const { deps, records, clock, workFolder } = engine;
  const made = newStream('show', START_MS);
  const stream: Stream = {
    ...made,
    uid: 'u1',
    settings: {
      ...made.settings,
      targetDurationSeconds: 4,
      idleTimeoutSeconds: null,
      retention,
      ...settings,
    },
  };
  assert.ok(await records.createStream(stream));
  const initKey = renditionInitKey(stream, '720p', 'i'.repeat(64));
  const store = (key: string, sizeBytes: number) =>
    deps.media.put(key, Buffer.alloc(sizeBytes), 'video/mp4');
  await store(initKey, 1);

  const acknowledge = async (number: number, run: number) => {
    const sourceKey = sourceSegmentKey(stream, run, number, 'a'.repeat(64), 'ts');
    await store(sourceKey, SOURCE_BYTES);
    const facts = { container: 'ts', audio: [], startTicks: number * SEGMENT_TICKS } as const;
    const segment = {
      ...{ run, number, digest: `d-${run}-${number}`, sizeBytes: SOURCE_BYTES, sourceKey },
      facts: { ...facts, endTicks: (number + 1) * SEGMENT_TICKS },
      ...{ preroll: [], timestampOffsetTicks: FIRST_TICKS, uploadedAtMs: clock.nowMs },
    };
    const first = (await records.getRun(stream, run))
      ? undefined
      : {
          run: {
            ...{ run, session: `s${run}`, explicit: true, firstNumber: number, audio: [] },
            createdAtMs: clock.nowMs,
            anchorTicks: FIRST_TICKS + number * SEGMENT_TICKS,
            anchorMs: clock.nowMs,
          },
        };
    assert.ok(await records.recordSegment(stream, segment, first));
  };

  /** A worker has made its rendition, in several pieces; it was on air now. */
  const settle = async (number: number, run: number, pieces = 1, hasPoster = true) => {
    const poster = hasPoster ? posterKey(stream, run, number, 'c'.repeat(64)) : undefined;
    if (poster) await store(poster, 2);
    const startTicks = FIRST_TICKS + number * SEGMENT_TICKS;
    const made = Array.from({ length: pieces }, (_, index) => {
      const key = renditionSegmentKey(
        stream,
        '720p',
        run,
        number,
        'bcdef'.charAt(index).repeat(64),
      );
      const renditions = { '720p': { key, initKey, sizeBytes: RENDITION_BYTES } };
      return {
        startTicks: startTicks + index * SEGMENT_TICKS,
        durationTicks: SEGMENT_TICKS,
        renditions,
      };
    });
    for (const { renditions } of made) await store(renditions['720p'].key, RENDITION_BYTES);
    const info = { codecString: 'avc1.64001f', widthPx: 1280, heightPx: 720, framesPerSecond: 30 };
    const outcome: SegmentOutcome = {
      ...{ type: 'rendered', run, number, ...(poster && { poster }), sourceBytes: SOURCE_BYTES },
      ...{ startTicks, durationTicks: pieces * SEGMENT_TICKS },
      programDateTimeMs: clock.nowMs,
      ...(pieces === 1
        ? { renditions: made[0]?.renditions ?? {} }
        : { renditions: {}, pieces: made }),
      catalogue: { '720p': { kind: 'video', ...info } },
      ...{ uploadedAtMs: clock.nowMs, completedAtMs: clock.nowMs },
    };
    await records.recordOutcome(stream, outcome);
    await publish({ completed: { run, number } });
  };

  const publish = (request: object = {}) =>
    publishStream(deps, { videoId: 'show', uid: 'u1', ...request });

  /** One after the other, each `everyMs` after the one before. */
  const air = async (numbers: readonly number[], everyMs = 4000, run = 1) => {
    for (const number of numbers) {
      await acknowledge(number, run);
      await settle(number, run);
      clock.nowMs += everyMs;
    }
  };

  /** One that lasts so many target durations. */
  const airCut = async (number: number, pieces: number) => {
    await acknowledge(number, 1);
    await settle(number, 1, pieces);
    clock.nowMs += pieces * 4000;
  };

  const end = async () => {
    await requestEnd(deps, stream, 'call');
    await publish();
  };

  /** Does what is asked of the publisher. */
  const work = async () => {
    const { publish: requests } = deps.queues;
    const asked = await requests.receive({ max: 10, waitMs: 0, leaseMs: 1000 });
    for (const { body } of asked) {
      await publishStream(deps, publishRequest.parse(JSON.parse(body)));
    }
    await requests.acknowledge(asked.map(({ receipt }) => receipt));
  };

  const runJob = (body: string) =>
    JOBS.run(deps, body, { workFolder, signal: new AbortController().signal });

  /** The job, again as long as it queues itself, and what it asks of the publisher. */
  const retain = async (context: Partial<JobContext> = {}, own: WorkerDeps = deps) => {
    const { analysisJobs } = deps.queues;
    const signal = new AbortController().signal;
    let body = JSON.stringify({ kind: 'retention', videoId: 'show', uid: 'u1' });
    for (;;) {
      const result = await JOBS.run(own, body, { workFolder, signal, ...context });
      await work();
      const [again] = await analysisJobs.receive({ max: 1, waitMs: 0, leaseMs: 1000 });
      if (!again) return result;
      await analysisJobs.acknowledge([again.receipt]);
      body = again.body;
    }
  };

  /** Changes the settings, as the owner does. */
  const keep = async (changed: RetentionSettings | null) => {
    const found = await records.findStream('show');
    assert.ok(found);
    const { settings: before } = found.value;
    await records.updateStream(
      { ...found.value, settings: { ...before, retention: changed } },
      found.version,
    );
  };

  const viewer = createViewer(deps);
  const media = async (view: 'live' | 'vod', kept?: number) =>
    (await viewer.media('show', '720p', view, 1, kept)).document.text;
  /** The addresses that new viewers are given. */
  const offered = async () => {
    const { text } = (await viewer.multivariant('show')).document;
    return text.match(/^show\/.*$/m)?.[0] ?? '';
  };
  const objects = async () =>
    (
      await Promise.all([deps.media.list('media/show/u1/'), deps.media.list('source/show/u1/')])
    ).flat();
  /** Sort keys of the records of these kinds; of all, if none is named. */
  const recordsOf = async (...kinds: readonly string[]) => {
    const items = await deps.store.query('stream/show/u1');
    const sorts = items.map(({ sort }) => sort);
    return kinds.length === 0
      ? sorts
      : sorts.filter((sort) => kinds.includes(sort.split('/')[0] ?? ''));
  };
  const state = async () => (await records.timeline(stream)).value;
  return {
    ...{
      engine,
      stream,
      initKey,
      acknowledge,
      settle,
      publish,
      air,
      airCut,
      end,
      work,
      runJob,
      retain,
      keep,
    },
    ...{ viewer, media, offered, objects, recordsOf, state },
  };
}

/** What a playlist names: the numbers of its segments, and `/` for a discontinuity. */
export const numbersOf = (playlist: string): string =>
  [...playlist.matchAll(/^#EXT-X-DISCONTINUITY$|^\/media\/.*\/\d+-0*(\d+)-\w+\.m4s$/gm)]
    .map(([, number]) => number ?? '/')
    .join(' ')
    .replaceAll(/\b0*(?=\d)/g, '');

/** Whatever an object is of: its kind, and the number of its segment. */
export const shortNames = (keys: readonly string[]): string[] =>
  keys.flatMap((key) => {
    const number = key.match(/0{5,}(\d+)-/)?.[1];
    const kind = key.match(/^source|poster|720p\/init|720p/)?.[0];
    return number || kind === '720p/init' ? [`${kind} ${number ?? ''}`.trim()] : [key];
  });
