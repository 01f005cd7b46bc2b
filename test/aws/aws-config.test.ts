import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsConfig, awsWorkerConfig } from '../../lib/aws/aws-config.ts';
import { ConfigError } from '../../lib/base/environment.ts';

const queueUrl = (name: string) => `https://sqs.eu-central-1.amazonaws.com/123456789012/${name}`;
const ENV = {
  AWS_REGION: 'eu-central-1',
  RIVULET_BUCKET: 'media',
  RIVULET_TABLE: 'streams',
  RIVULET_TRANSCODE_QUEUE: queueUrl('transcode'),
  RIVULET_PUBLISH_QUEUE: queueUrl('publish.fifo'),
  RIVULET_TIMERS_QUEUE: queueUrl('timers'),
  RIVULET_INGEST_QUEUE: queueUrl('ingest'),
  RIVULET_LOOKS_QUEUE: queueUrl('looks'),
};

test('what the infrastructure sets is taken over, and the rest has defaults', () => {
  assert.deepEqual(awsConfig({ ...ENV, HOME: '/home/me', AWS_ENDPOINT_URL: '' }), {
    connection: { region: 'eu-central-1' },
    bucket: 'media',
    table: 'streams',
    queueUrls: {
      transcode: ENV.RIVULET_TRANSCODE_QUEUE,
      publish: ENV.RIVULET_PUBLISH_QUEUE,
      timers: ENV.RIVULET_TIMERS_QUEUE,
      ingest: ENV.RIVULET_INGEST_QUEUE,
      looks: ENV.RIVULET_LOOKS_QUEUE,
    },
  });
  const worker = awsWorkerConfig({
    ...ENV,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    RIVULET_CLUSTER: 'workers',
    RIVULET_SERVICE: 'transcoder',
    ECS_AGENT_URI: 'http://169.254.170.2/api/abc',
    TMPDIR: '/scratch',
  });
  assert.deepEqual(
    { ...worker, queueUrls: undefined },
    {
      connection: { region: 'eu-central-1', endpoint: 'http://127.0.0.1:4566' },
      bucket: 'media',
      table: 'streams',
      queueUrls: undefined,
      service: { cluster: 'workers', service: 'transcoder' },
      jobs: 2,
      stopMs: 120_000,
      agentUrl: 'http://169.254.170.2/api/abc',
      temporaryFolder: '/scratch',
    },
  );
});

test('every wrong setting is named with what it should be', () => {
  const wrong = {
    ...ENV,
    RIVULET_BUCKET: '',
    RIVULET_TIMERS_QUEUE: 'timers',
    RIVULET_CLUSTER: 'workers',
    RIVULET_JOBS: '99',
  };
  assert.throws(
    () => awsWorkerConfig(wrong),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^RIVULET_BUCKET is not set; expected: a name\.$/m);
      assert.match(error.message, /^RIVULET_TIMERS_QUEUE is "timers"; expected: a URL/m);
      assert.match(error.message, /^RIVULET_JOBS is "99"; expected: a whole number from 1 to 32/m);
      return true;
    },
  );
  const half = { ...ENV, RIVULET_CLUSTER: 'workers' };
  assert.throws(
    () => awsConfig(half),
    /RIVULET_SERVICE is not set; .*together with RIVULET_CLUSTER/,
  );
});
