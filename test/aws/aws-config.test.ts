import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsConfig, awsWorkerConfig } from '../../lib/aws/aws-config.ts';
import { ConfigError } from '../../lib/base/environment.ts';

const queueUrl = (name: string) => `https://sqs.eu-central-1.amazonaws.com/123456789012/${name}`;
const ENV = {
  AWS_REGION: 'eu-central-1',
  RIVULET_BUCKET: 'media',
  RIVULET_TABLE: 'streams',
  RIVULET_LIVE_JOBS_QUEUE: queueUrl('live-jobs'),
  RIVULET_BACKFILL_JOBS_QUEUE: queueUrl('backfill-jobs'),
  RIVULET_ANALYSIS_JOBS_QUEUE: queueUrl('analysis-jobs'),
  RIVULET_PUBLISH_QUEUE: queueUrl('publish.fifo'),
  RIVULET_DELAYED_QUEUE: queueUrl('delayed'),
  RIVULET_UPLOAD_COMPLETED_QUEUE: queueUrl('upload-completed'),
  RIVULET_SCALING_QUEUE: queueUrl('scaling'),
};

test('the configuration on AWS is what the infrastructure sets, and has defaults for the rest', () => {
  assert.deepEqual(awsConfig({ ...ENV, HOME: '/home/me', AWS_ENDPOINT_URL: '' }), {
    connection: { region: 'eu-central-1' },
    bucket: 'media',
    table: 'streams',
    queueUrls: {
      liveJobs: ENV.RIVULET_LIVE_JOBS_QUEUE,
      backfillJobs: ENV.RIVULET_BACKFILL_JOBS_QUEUE,
      analysisJobs: ENV.RIVULET_ANALYSIS_JOBS_QUEUE,
      publish: ENV.RIVULET_PUBLISH_QUEUE,
      delayed: ENV.RIVULET_DELAYED_QUEUE,
      uploadCompleted: ENV.RIVULET_UPLOAD_COMPLETED_QUEUE,
      scaling: ENV.RIVULET_SCALING_QUEUE,
    },
  });
  const worker = awsWorkerConfig({
    ...ENV,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    RIVULET_CLUSTER: 'workers',
    RIVULET_SERVICE: 'worker',
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
      service: { cluster: 'workers', service: 'worker' },
      jobs: 2,
      stopMs: 120_000,
      agentUrl: 'http://169.254.170.2/api/abc',
      temporaryFolder: '/scratch',
    },
  );
});

test('the configuration on AWS names every wrong setting with what it should be', () => {
  const wrong = {
    ...ENV,
    RIVULET_BUCKET: '',
    RIVULET_DELAYED_QUEUE: 'delayed',
    RIVULET_CLUSTER: 'workers',
    RIVULET_JOBS: '99',
  };
  assert.throws(
    () => awsWorkerConfig(wrong),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^RIVULET_BUCKET is not set; expected: a name\.$/m);
      assert.match(error.message, /^RIVULET_DELAYED_QUEUE is "delayed"; expected: a URL/m);
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
