/** An engine on the emulator and a stream in it, for workers that are processes of their own. */

import assert from 'node:assert/strict';
import { awsConfig } from '../../lib/aws/aws-config.ts';
import { type AwsPorts, awsPorts } from '../../lib/aws/aws-ports.ts';
import type { SegmentOutcome } from '../../lib/domain/segment.ts';
import { hashKey, newStream } from '../../lib/pipeline/auth.ts';
import { type Deps, withRecords } from '../../lib/pipeline/deps.ts';
import { uploadSegment } from '../../lib/pipeline/ingest/upload.ts';
import { makeSegments } from '../support/media.ts';
import { MEDIA_THREADS } from '../support/media-threads.ts';
import { type Scope, waitFor } from '../support/system.ts';
import type { MiniStack } from './ministack.ts';
import { makeAllQueues, makeBucket, makeTable } from './resources.ts';

const TRANSCODE_TIMEOUT_MS = 60_000;

export type EngineWithStream = Readonly<{
  /** For workers. */
  env: Readonly<Record<string, string>>;
  ports: AwsPorts;
  /** Of the first two segments, as an encoder does it. */
  upload(number: number): Promise<void>;
  outcome(number: number): Promise<SegmentOutcome | undefined>;
  /** Waits for a worker's job, and checks that what it made is stored. Names of the renditions. */
  rendered(number: number): Promise<readonly string[]>;
}>;

export async function engineWithStream(
  scope: Scope,
  { connection, env: access }: MiniStack,
): Promise<EngineWithStream> {
  const queues = await makeAllQueues(connection);
  const env = {
    ...access,
    ...queues.env,
    RIVULET_BUCKET: await makeBucket(connection, queues.urls.uploadCompleted),
    RIVULET_TABLE: await makeTable(connection),
  };
  const ports = awsPorts({ ...awsConfig(env), connection });
  scope.after(() => ports.close());
  const deps: Deps = { ...withRecords(ports), ...MEDIA_THREADS, ownerKeyHash: hashKey('owner') };
  const { records } = withRecords(ports);
  await records.createStream(newStream('show', Date.now()));
  const stream = await records.findStream('show');
  assert.ok(stream);
  const { segments } = await makeSegments({ seconds: 4, size: '640x360' });

  const outcome = (number: number) => records.findOutcome(stream.value, 1, number);
  return {
    env,
    ports,
    upload: async (number) => {
      const bytes = segments[number]?.bytes;
      const now = await records.findStream('show');
      assert.ok(bytes && now);
      await uploadSegment(deps, now, { number, bytes, pushed: false });
    },
    outcome,
    rendered: async (number) => {
      const settled = await waitFor('the outcome', () => outcome(number), TRANSCODE_TIMEOUT_MS);
      assert.ok(settled.type === 'rendered', JSON.stringify(settled));
      for (const { key, initKey, sizeBytes } of Object.values(settled.renditions)) {
        assert.equal((await ports.media.head(key))?.sizeBytes, sizeBytes);
        assert.ok(await ports.media.head(initKey));
      }
      return Object.keys(settled.renditions);
    },
  };
}
