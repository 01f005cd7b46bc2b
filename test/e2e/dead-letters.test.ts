import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { SourceSegment } from '../../lib/domain/segment.ts';
import type { Run } from '../../lib/domain/stream.ts';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { newStream } from '../../lib/pipeline/auth.ts';
import { withRecords } from '../../lib/pipeline/deps.ts';
import { transcode } from '../../lib/pipeline/jobs/transcode.ts';
import type { QueueMessage } from '../../lib/ports/ports.ts';
import {
  DEAD_LETTER_NAMES,
  DEAD_LETTERS,
  type DeadLetterName,
  MAX_DELIVERIES,
  type QueueName,
} from '../../lib/ports/queues.ts';
import { startTestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const STREAM = newStream('show', Date.now());
const { videoId, uid } = STREAM;
const SEGMENT = { run: 1, number: 3 };

type Case = Readonly<{
  /** What became of the message. */
  title: string;
  message: QueueMessage;
  /** Whether the handler has done that. */
  isHandled(ports: EmbeddedPorts): Promise<boolean>;
}>;

/** The message comes back to its queue for later. */
const comesBack =
  (queue: QueueName) =>
  async ({ queues }: EmbeddedPorts): Promise<boolean> =>
    (await queues[queue].depth()).delayed === 1;

const CASES: Readonly<Record<DeadLetterName, Case>> = {
  jobs: {
    title: 'makes the segment a failed one, which publishing skips',
    message: {
      body: JSON.stringify({ kind: transcode.name, videoId, uid, ...SEGMENT }),
      group: uid,
    },
    async isHandled(ports) {
      const { records } = withRecords(ports);
      const outcome = await records.findOutcome(STREAM, SEGMENT.run, SEGMENT.number);
      return outcome?.type === 'failed' && outcome.reason === 'every attempt failed';
    },
  },
  publish: {
    title: 'is sent again, so that the stream is published after all',
    message: { body: JSON.stringify({ videoId, uid }), group: uid },
    async isHandled(ports) {
      const { value: head } = await withRecords(ports).records.timeline(STREAM);
      return head.nextSequence === 1;
    },
  },
  delayed: {
    title: 'is sent again after a pause, so that housekeeping goes on',
    message: { body: JSON.stringify({ type: 'housekeeping', videoId, uid }) },
    isHandled: comesBack('delayed'),
  },
  uploadCompleted: {
    title: 'is sent again after a pause, until the upload expires',
    message: { body: JSON.stringify({ key: `source/${videoId}/${uid}/granted/a.bin` }) },
    isHandled: comesBack('uploadCompleted'),
  },
};

/** A stream whose first segment is rendered and not listed yet. */
async function makeStream(ports: EmbeddedPorts): Promise<void> {
  const { records } = withRecords(ports);
  await records.createStream(STREAM);
  const nowMs = Date.now();
  const segment: SourceSegment = {
    run: 1,
    number: 0,
    digest: 'digest',
    sizeBytes: 1000,
    sourceKey: 'source/0.ts',
    facts: { container: 'ts', audio: [], startTicks: 0, endTicks: 180_000 },
    preroll: [],
    timestampOffsetTicks: 0,
    uploadedAtMs: nowMs,
  };
  const run: Run = {
    run: 1,
    session: 'session',
    explicit: true,
    firstNumber: 0,
    createdAtMs: nowMs,
    anchorTicks: 0,
    anchorMs: nowMs,
    audio: [],
  };
  await records.recordSegment(STREAM, segment, { run });
  await records.recordOutcome(STREAM, {
    type: 'rendered',
    run: 1,
    number: 0,
    startTicks: 0,
    durationTicks: 180_000,
    renditions: {},
    catalogue: {},
    uploadedAtMs: nowMs,
    completedAtMs: nowMs,
  });
}

/** Fails as often as a message may. */
async function exhaust(ports: EmbeddedPorts, name: QueueName, message: QueueMessage) {
  const queue = ports.queues[name];
  await queue.send([message]);
  const take = () => queue.receive({ max: 1, waitMs: 0, leaseMs: 60_000 });
  for (let deliveries = 0; deliveries < MAX_DELIVERIES; deliveries += 1) {
    const [delivery] = await take();
    await queue.release(delivery?.receipt ?? assert.fail('no message'), 0);
  }
  assert.deepEqual(await take(), []);
}

async function setUp(t: TestContext) {
  const dataPath = join(await temporaryFolder(t), 'data');
  const ports = embeddedPorts(openDataFolder(dataPath));
  t.after(() => ports.close());
  await makeStream(ports);
  return { dataPath, ports };
}

describe('a message that failed too often on one machine', () => {
  for (const name of DEAD_LETTER_NAMES) {
    const { title, message, isHandled } = CASES[name];
    for (const queue of DEAD_LETTERS[name]) {
      test(`on the queue ${queue}: it ${title}`, async (t) => {
        const { dataPath, ports } = await setUp(t);
        await exhaust(ports, queue, message);
        assert.equal((await ports.deadLetters[name].depth()).ready, 1);
        assert.equal(await isHandled(ports), false);
        // Without workers: nothing but the handler of the dead letters can do it.
        await startTestSystem(t, { dataPath, env: { RIVULET_WORKERS: '0' } });
        await waitFor('the handler', () => isHandled(ports));
        await waitFor('its end', async () => {
          const { ready, inFlight, delayed } = await ports.deadLetters[name].depth();
          return ready + inFlight + delayed === 0;
        });
      });
    }
  }
});
