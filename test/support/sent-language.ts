/** A stream, and a language of it that is uploaded on its own: by calls of the pipeline, without any encoder. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { languageTrack } from '../../lib/domain/languages/language-track.ts';
import { ticksToMs } from '../../lib/domain/ticks.ts';
import { silentFrame } from '../../lib/media/audio/silence.ts';
import { demuxSegment } from '../../lib/media/demux/demux.ts';
import { parseCmaf } from '../../lib/media/mux/cmaf.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { digestOf } from '../../lib/pipeline/digest.ts';
import { openLanguage } from '../../lib/pipeline/ingest/language-uploads.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { createViewer } from '../../lib/pipeline/view/viewer.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { parseMediaWithHls } from '../playlist/parse-with-hls.ts';
import { START_MS, type TestEngine, testEngine } from './engine.ts';
import { makeSegments } from './media.ts';
import { acknowledge, settle } from './outcomes.ts';

/** Short, for messages. */
const nameOf = (frame: Uint8Array): string => digestOf(frame).slice(0, 8);
const SILENT = nameOf(silentFrame(2));
export const FRENCH = languageTrack('fre', false);

/** Entries of four seconds, beside sound in segments of two. */
export async function begin(t: TestContext) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const settings = { ...made.settings, targetDurationSeconds: 4 };
  await engine.records.createStream({ ...made, settings });
  const sound = await makeSegments({ seconds: 8, video: 'none' });
  const nextSequence = async () =>
    (await engine.records.timeline((await streamOf(engine)).value)).value.nextSequence;
  const french = await Promise.all(
    sound.segments.map(async ({ bytes }) => ({ bytes, ...(await readSound(bytes)) })),
  );
  const [{ startMs: zeroMs = 0 } = {}] = french;
  return {
    engine,
    french: french.map(({ startMs, ...one }) => ({ ...one, atMs: START_MS + startMs - zeroMs })),
    nextSequence,
  };
}

/** A segment of sound, and when it begins. */
type Sound = Readonly<{ bytes: Uint8Array; frames: readonly string[]; atMs: number }>;

async function readSound(bytes: Uint8Array) {
  const { packets = [] } = (await demuxSegment(bytes)).audio[0] ?? {};
  const frames = packets.map((packet) => nameOf(packet.bytes));
  return { frames, startMs: ticksToMs(packets[0]?.startTicks ?? 0) };
}

export const framesOf = (segments: readonly Sound[]): string[] =>
  segments.flatMap(({ frames }) => frames);

export const streamOf = async ({ records }: TestEngine) =>
  (await records.findStream('show')) ?? assert.fail();

/** A segment of the stream, which is at once transcoded. */
export async function sendVideo(engine: TestEngine, number: number, run = 1): Promise<void> {
  const { value } = await streamOf(engine);
  await acknowledge(engine, value, run, number);
  await settle(engine, value, run, number);
}

export async function sendFrench(
  engine: TestEngine,
  number: number,
  sound: Pick<Sound, 'bytes' | 'atMs'> | undefined,
  { session = 'dub', delayMs = 0 } = {},
) {
  const { bytes, atMs } = sound ?? assert.fail();
  const stream = await openLanguage(engine.deps, await streamOf(engine), FRENCH);
  const upload = { number, session, bytes, atMs: atMs + delayMs, pushed: false };
  const sent = await uploadSegment(engine.deps, stream, upload);
  await work(engine);
  return sent;
}

async function drain(queue: WorkQueue, take: (body: string) => Promise<unknown>): Promise<void> {
  for (;;) {
    const [delivery] = await queue.receive({ max: 1, waitMs: 0, leaseMs: 20_000 });
    if (!delivery) return;
    await take(delivery.body);
    await queue.acknowledge([delivery.receipt]);
  }
}

/** Does all jobs that are queued, and publishes. */
export async function work({ deps, workFolder }: TestEngine): Promise<void> {
  const { signal } = new AbortController();
  await drain(deps.queues.liveJobs, (body) => JOBS.run(deps, body, { workFolder, signal }));
  await drain(deps.queues.publish, (body) =>
    publishStream(deps, publishRequest.parse(JSON.parse(body))),
  );
}

/** The frames that each entry of the French audio lists; silent ones are counted. */
export async function listed({ deps }: TestEngine, view: 'live' | 'vod' = 'live') {
  const { document } = await createViewer(deps).media('show', 'audio-fr', view);
  const { segments } = parseMediaWithHls(document.text);
  const load = async (address = ''): Promise<Uint8Array> =>
    (await deps.media.get(new URL(address, 'http://x/').pathname.slice(1))) ?? assert.fail(address);
  return Promise.all(
    segments.map(async ({ uri, mapUri, gap }) => {
      assert.equal(gap, false);
      const { samples } = parseCmaf(Buffer.concat([await load(mapUri), await load(uri)]));
      const frames = samples.map(({ bytes }) => nameOf(bytes));
      const heard = frames.filter((frame) => frame !== SILENT);
      return { heard, silent: frames.length - heard.length };
    }),
  );
}

export const countsOf = (entries: Awaited<ReturnType<typeof listed>>) =>
  entries.map(({ heard, silent }) => [heard.length, silent]);
