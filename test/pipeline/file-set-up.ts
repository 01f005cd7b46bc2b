/** A stream of whole files on an embedded engine, with one worker that a test leads step by step. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { newStream } from '../../lib/pipeline/auth.ts';
import { takeWholeFile } from '../../lib/pipeline/ingest/file-upload.ts';
import { JOBS } from '../../lib/pipeline/jobs/registry.ts';
import { publishRequest } from '../../lib/pipeline/message-schemas.ts';
import { publishStream } from '../../lib/pipeline/publish/publish.ts';
import { START_MS, type TestEngine, testEngine } from '../support/engine.ts';
import { ffmpeg } from '../support/ffmpeg.ts';

const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rivulet-file-'));
  await ffmpeg([
    ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10:d=20'],
    ...['-f', 'lavfi', '-i', 'sine=f=440:r=48000:d=20', '-c:v', 'libx264', '-g', '10'],
    ...['-c:a', 'aac', at('film.mp4')],
  ]);
});
after(() => rm(folder, { recursive: true, force: true }));

/** Path of a file of these tests: `film.mp4` is there. */
export const at = (name: string): string => join(folder, name);

export const fileNamed = async (name: string) => new Uint8Array(await readFile(at(name)));

export async function start(t: TestContext, settings: object = {}) {
  const engine = await testEngine(t);
  const made = newStream('show', START_MS);
  const stream = { ...made, settings: { ...made.settings, ladder: LADDER, ...settings } };
  await engine.records.createStream(stream);
  const open = async () => {
    const found = await engine.records.findStream('show');
    if (!found) throw new Error('The stream is gone.');
    return found;
  };
  const { deps } = engine;
  const take = async (bytes: Uint8Array, name = 'film.mp4') =>
    takeWholeFile(deps, await open(), { name, bytes });
  const body = JSON.stringify({ kind: 'split-file', videoId: 'show', uid: stream.uid, fileId: 1 });
  return { engine, deps, stream, open, take, body };
}

export const context = (engine: TestEngine) => ({
  workFolder: engine.workFolder,
  threads: 1,
  signal: new AbortController().signal,
});

/** Takes jobs from the back-fill queue in order, as one worker would; returns their kinds and results. */
export async function work(engine: TestEngine, max = Number.POSITIVE_INFINITY, kinds?: RegExp) {
  const { deps } = engine;
  const done: string[] = [];
  while (done.length < max) {
    const options = { max: 1, waitMs: 0, leaseMs: 60_000 };
    const [delivery] = await deps.queues.backfillJobs.receive(options);
    if (!delivery) break;
    const { kind, number } = JSON.parse(delivery.body);
    const isDone = kinds === undefined || kinds.test(kind);
    const result = isDone ? await JOBS.run(deps, delivery.body, context(engine)) : 'left';
    await deps.queues.backfillJobs.acknowledge([delivery.receipt]);
    done.push(`${kind}${number === undefined ? '' : ` ${number}`}: ${result}`);
  }
  return done;
}

/** Takes all that waits for the publisher. */
export async function publishAll({ deps }: TestEngine): Promise<void> {
  for (;;) {
    const options = { max: 10, waitMs: 0, leaseMs: 60_000 };
    const deliveries = await deps.queues.publish.receive(options);
    if (deliveries.length === 0) return;
    for (const { body, receipt } of deliveries) {
      await publishStream(deps, publishRequest.parse(JSON.parse(body)));
      await deps.queues.publish.acknowledge([receipt]);
    }
  }
}
