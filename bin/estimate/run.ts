/** Sends a short stream through the real handlers and steps, on the embedded engine, and counts. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiHandler, apiHandlers } from '../../lambdas/api/handlers.ts';
import { delayedHandler } from '../../lambdas/queue/delayed.ts';
import type { QueueHandler } from '../../lambdas/queue/handlers.ts';
import { publishHandler } from '../../lambdas/queue/publish.ts';
import { scalingHandler } from '../../lambdas/queue/scaling.ts';
import { DEFAULT_LADDER, type Rung } from '../../lib/domain/ladder.ts';
import {
  DEFAULT_IDLE_MS,
  DEFAULT_SECONDS_PER_JOB,
  SCALING_INTERVAL_MS,
  type ScalingLimits,
} from '../../lib/domain/scaling.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { invoke } from '../../lib/embedded/lambda-context.ts';
import { toLambdaEvent } from '../../lib/embedded/lambda-event.ts';
import { toRecord } from '../../lib/embedded/queue-poller.ts';
import { hashKey, newStream } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { startWorker } from '../../lib/pipeline/jobs/worker.ts';
import { sendScalingRequest } from '../../lib/pipeline/messages.ts';
import type { StreamRecords } from '../../lib/pipeline/records/stream-records.ts';
import type { QueueName } from '../../lib/ports/queues.ts';
import { mediaThreads } from '../serve/running-system.ts';
import { eachRole, type Role } from './costs.ts';
import { countingPorts, countingQueue } from './counting-ports.ts';
import { makeSource, SOURCE_PX } from './media.ts';
import { Meter, type Work } from './meter.ts';

export type RunOptions = Readonly<{
  segments: number;
  segmentSeconds: number;
  rungs: number;
  languages: number;
  /** Segments before those that are counted: what a receipt reads grows until there are 256. */
  before: number;
}>;

const VIDEO_ID = 'estimate';
const KEY = 'key-of-the-estimate';
const SESSION = 'one';
const HANDLER_MS = 60_000;
const LEASE_MS = 30_000;
const HOUR_MS = 3_600_000;
const PUBLISH_BATCH = 10;
/** More messages than any run sends. */
const MANY = 10_000;
const SCALING: ScalingLimits = {
  min: 0,
  max: 10,
  jobsPerWorker: 2,
  secondsPerJob: DEFAULT_SECONDS_PER_JOB,
  idleMs: DEFAULT_IDLE_MS,
};

export async function measureWork(options: RunOptions): Promise<Readonly<Record<Role, Work>>> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-estimate-'));
  const startedAtMs = Date.now();
  const ports = embeddedPorts(openDataFolder(join(folder, 'data')), {
    // Nothing here waits: what is due later is sent by the run itself.
    clock: { now: () => startedAtMs },
    fleet: {
      type: 'scalable',
      count: async () => ({ desired: 1, running: 1 }),
      scaleTo: async () => {},
    },
  });
  try {
    return await new Run(ports, options, folder).counts();
  } finally {
    ports.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #ports: EmbeddedPorts & Readonly<{ records: StreamRecords }>;
  readonly #options: RunOptions;
  readonly #folder: string;
  readonly #meters = eachRole(() => new Meter());
  #runs = eachRole(() => ({ runs: 0, cpuMs: 0 }));
  readonly #deps: Readonly<Record<Role, Deps>>;

  constructor(ports: EmbeddedPorts, options: RunOptions, folder: string) {
    this.#ports = withRecords(ports);
    this.#options = options;
    this.#folder = folder;
    const ownerKeyHash = hashKey(KEY);
    const threads = mediaThreads();
    this.#deps = eachRole((role) => {
      const counted = countingPorts(ports, this.#meters[role]);
      const deps = { ...withRecords(counted), ...threads, ownerKeyHash };
      return role === 'transcode' ? { ...deps, media: cachePuts(deps.media) } : deps;
    });
  }

  async counts(): Promise<Readonly<Record<Role, Work>>> {
    const { segments, before, segmentSeconds } = this.#options;
    const sources = await makeSource(this.#folder, this.#options);
    await this.#createStream();
    const [first] = sources;
    if (!first) throw new Error('ffmpeg made no source for the run.');
    await this.#goBefore(first);
    // From here on a scaling request is pending, as in a live stream: uploads send none.
    await this.#scale(0);
    this.#forget();
    const view = apiHandlers(this.#deps.playlist);
    for (const [index, bytes] of sources.entries()) {
      await this.#upload(before + index, bytes);
      await this.#transcode();
      await this.#publish('publish');
      // CDN caches ask once a second; a playlist changes once a segment.
      for (let second = 0; second < Math.round(segmentSeconds); second += 1) {
        for (const rendition of Object.keys((await this.#timeline()).renditions)) {
          const playlist = `${rendition}.m3u8`;
          const path = `/viewstream/metadata/${VIDEO_ID}/${playlist}`;
          const event = eventOf('GET', path, '', { videoId: VIDEO_ID, playlist });
          await this.#timed('playlist', () => answered('viewPlaylist', view.viewPlaylist, event));
        }
      }
    }
    const { nextSequence } = await this.#timeline();
    if (nextSequence !== before + segments) {
      throw new Error(`The run published ${nextSequence} segments of ${before + segments}.`);
    }
    await this.#housekeep();
    await this.#scale(2 * SCALING_INTERVAL_MS);
    return eachRole((role) => ({ usage: this.#meters[role].usage, ...this.#runs[role] }));
  }

  async #createStream(): Promise<void> {
    const stream = newStream(VIDEO_ID, this.#ports.clock.now());
    const targetDurationSeconds = Math.ceil(this.#options.segmentSeconds * 1.5);
    const ladder = smallLadder(this.#options.rungs);
    const settings = { ...stream.settings, ladder, targetDurationSeconds };
    await this.#ports.records.createStream({ ...stream, settings });
  }

  /** The first one is transcoded, for the others its outcome is recorded again. */
  async #goBefore(bytes: Uint8Array): Promise<void> {
    const { before } = this.#options;
    if (before === 0) return;
    await this.#upload(0, bytes);
    await this.#transcode();
    const { records, queues } = this.#ports;
    const stream = await this.#stream();
    const first = await records.findOutcome(stream, 1, 0);
    if (first?.type !== 'rendered') throw new Error('The first segment was not transcoded.');
    for (let number = 1; number < before; number += 1) {
      await this.#upload(number, bytes);
      const startTicks = first.startTicks + number * first.durationTicks;
      await records.recordOutcome(stream, { ...first, number, startTicks });
      const jobs = await queues.liveJobs.receive({ max: 1, waitMs: 0, leaseMs: LEASE_MS });
      await queues.liveJobs.acknowledge(jobs.map(({ receipt }) => receipt));
    }
    await this.#publish('publish');
  }

  #forget(): void {
    eachRole((role) => this.#meters[role].reset());
    this.#runs = eachRole(() => ({ runs: 0, cpuMs: 0 }));
  }

  async #upload(number: number, bytes: Uint8Array): Promise<void> {
    const handler = apiHandlers(this.#deps.upload).upload;
    const query = `segment=${number}&session=${SESSION}`;
    const event = eventOf('POST', `/upload/${VIDEO_ID}`, query, { videoId: VIDEO_ID }, bytes);
    await this.#timed('upload', () => answered('upload', handler, event));
  }

  /** In the worker's own loop, so that its queue requests are counted as well. */
  async #transcode(): Promise<void> {
    const failures: unknown[] = [];
    const done = Promise.withResolvers<void>();
    const worker = startWorker({
      deps: this.#deps.transcode,
      concurrency: 1,
      // No heartbeat: how many there are depends on how fast this machine is.
      leaseMs: HOUR_MS,
      workFolder: join(this.#folder, 'work'),
      around: async (_, run) => {
        const outcome = await run().finally(done.resolve);
        if (outcome !== 'done') failures.push(outcome);
        return outcome;
      },
      report: (error) => failures.push(error),
    });
    await done.promise;
    await worker.stop(HANDLER_MS);
    this.#runs.transcode.runs += 1;
    if (failures.length > 0) throw new Error('The run failed to transcode', { cause: failures[0] });
  }

  async #publish(role: 'publish' | 'housekeepingPublish'): Promise<void> {
    await this.#drain(role, 'publish', PUBLISH_BATCH, publishHandler(this.#deps[role]));
  }

  /** As Lambda polls: its queue requests are billed, but no function waits for them. */
  async #drain(role: Role, name: QueueName, batch: number, handler: QueueHandler): Promise<void> {
    const polls = new Meter();
    const queue = countingQueue(this.#ports.queues[name], polls, name === 'publish');
    for (;;) {
      const deliveries = await queue.receive({ max: batch, waitMs: 0, leaseMs: LEASE_MS });
      if (deliveries.length === 0) break;
      const event = { Records: deliveries.map((one) => toRecord(name, one)) };
      const answer = await this.#timed(role, () => invoke(name, handler, event, HANDLER_MS));
      const { batchItemFailures } = answer as { batchItemFailures: readonly unknown[] };
      if (batchItemFailures.length > 0) throw new Error(`The run failed in the ${name} queue.`);
      await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    }
    this.#meters[role].add({ ...polls.usage, calls: 0 });
  }

  /** Housekeeping of an open stream, and what it has the publisher do. */
  async #housekeep(): Promise<void> {
    const { videoId, uid } = await this.#stream();
    const body = JSON.stringify({ type: 'housekeeping', videoId, uid });
    await this.#ports.queues.delayed.send([{ body }]);
    await this.#drain('housekeeping', 'delayed', 1, delayedHandler(this.#deps.housekeeping));
    await this.#publish('housekeepingPublish');
  }

  /** One scaling evaluation, `laterMs` after now: the interval since the previous one must be over. */
  async #scale(laterMs: number): Promise<void> {
    const { scaling } = this.#ports.queues;
    const called = await scaling.receive({ max: MANY, waitMs: 0, leaseMs: LEASE_MS });
    await scaling.acknowledge(called.map(({ receipt }) => receipt));
    const clock = { now: () => this.#ports.clock.now() + laterMs };
    const handler = scalingHandler({ ...this.#deps.scale, clock }, SCALING);
    await sendScalingRequest(this.#ports, { hasNewJob: true });
    await this.#drain('scale', 'scaling', 1, handler);
  }

  async #timed<T>(role: Role, work: () => Promise<T>): Promise<T> {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    this.#runs[role].runs += 1;
    this.#runs[role].cpuMs += (user + system) / 1000;
    return result;
  }

  async #stream() {
    const found = await this.#ports.records.findStream(VIDEO_ID);
    if (!found) throw new Error('The stream of the run is gone.');
    return found.value;
  }

  async #timeline() {
    return (await this.#ports.records.timeline(await this.#stream())).value;
  }
}

type HttpEvent = ReturnType<typeof toLambdaEvent>;

async function answered(name: string, handler: ApiHandler, event: HttpEvent): Promise<void> {
  const answer = await invoke(name, handler, event, HANDLER_MS);
  const { statusCode = 200, body } = answer as { statusCode?: number; body?: string };
  if (statusCode >= 300) throw new Error(`${event.rawPath} was answered ${statusCode}: ${body}`);
}

const eventOf = (
  method: string,
  path: string,
  queryString: string,
  pathParameters: Readonly<Record<string, string>>,
  body: Uint8Array = new Uint8Array(),
): HttpEvent =>
  toLambdaEvent({
    requestId: 'estimate',
    timeMs: Date.now(),
    method,
    path,
    queryString,
    protocol: 'HTTP/1.1',
    rawHeaders: ['host', 'localhost', 'authorization', `Bearer ${KEY}`],
    remoteAddress: '127.0.0.1',
    routeKey: `${method} ${path}`,
    pathParameters,
    body: Buffer.from(body),
  });

/** As many rungs as asked for, none larger than the source: operations depend on their number only. */
const RUNG_STEP_PX = 16;

const smallLadder = (rungs: number): Rung[] =>
  Array.from({ length: rungs }, (_, index) => ({
    name: DEFAULT_LADDER[index]?.name ?? `rung${index}`,
    shortSidePx: SOURCE_PX.height - index * RUNG_STEP_PX,
    maxrateBps: 200_000,
  }));
