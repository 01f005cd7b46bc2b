/** Everything but workers, CDN and alarms: what an emulator can run, too. */

import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import { forEachQueue, QUEUE_NAMES, type QueueVariable, queueVariable } from '../ports/queues.ts';
import { FUNCTIONS } from './function-table.ts';
import { Functions, type FunctionsProps } from './functions.ts';
import { HttpApi } from './http-api.ts';
import { MediaStorage } from './media-storage.ts';
import type { DeploymentOptions } from './options.ts';
import { OwnerKey } from './owner-key.ts';
import { Queues } from './queues.ts';
import { stackName, workersName } from './stage-names.ts';
import { StreamTable } from './stream-table.ts';
import { WorkerPolicy } from './worker-permissions.ts';

export type CoreStackProps = Readonly<{ options: DeploymentOptions; bundles: string }>;

export class CoreStack extends Stack {
  readonly bucket: Bucket;
  readonly api: HttpApi;
  readonly table: StreamTable;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly engine: AwsEngineEnvironment;
  /** For workers of one's own; there is none where Fargate has them. */
  readonly workerPolicy?: WorkerPolicy;
  /** What the functions of the workers' stack are made with as well. */
  readonly functionsProps: FunctionsProps;

  constructor(scope: Construct, { options, bundles }: CoreStackProps) {
    const { stage, workers, architecture, retentionDays, ladder, dvrWindowSeconds } = options;
    super(scope, stackName(stage, 'core'), { description: `Rivulet ${stage}: streams` });
    const ownerKey = new OwnerKey(this, 'OwnerKey');
    const table = new StreamTable(this, 'StreamTable');
    this.table = table;
    const queues = new Queues(this, 'Queues', { stage });
    const { bucket, accessLogs } = new MediaStorage(this, 'MediaStorage', {
      retentionDays,
      uploadCompleted: queues.queues.uploadCompleted,
    });
    this.bucket = bucket;
    this.queues = queues;
    this.engine = {
      RIVULET_BUCKET: bucket.bucketName,
      RIVULET_TABLE: table.table.tableName,
      ...(Object.fromEntries(
        QUEUE_NAMES.map((name) => [queueVariable(name), queues.queues[name].queueUrl]),
      ) as Record<QueueVariable, string>),
      ...(workers === 'fargate' && {
        RIVULET_CLUSTER: workersName(stage),
        RIVULET_SERVICE: workersName(stage),
      }),
    };
    this.functionsProps = {
      stage,
      architecture,
      bundles,
      engine: this.engine,
      ownerKeyArn: ownerKey.secretArn,
      streamDefaults: { ladder, dvrWindowSeconds },
      queues,
      scope: {
        bucketArn: bucket.bucketArn,
        tableArn: table.table.tableArn,
        queueArns: forEachQueue((name) => queues.queues[name].queueArn),
        ownerKeyArn: ownerKey.secretArn,
        workersName: workersName(stage),
      },
    };
    this.functions = new Functions(
      this,
      'Functions',
      this.functionsProps,
      FUNCTIONS.filter(([, { withWorkers }]) => !withWorkers),
    );
    this.api = new HttpApi(this, 'HttpApi', { stage, functions: this.functions });
    if (workers === 'none') {
      const { scope: permissions } = this.functionsProps;
      this.workerPolicy = new WorkerPolicy(this, 'WorkerPolicy', { stage, scope: permissions });
    }
    this.#outputs({
      ApiUrl: this.api.api.apiEndpoint,
      OwnerKeySecret: ownerKey.secretArn,
      BucketName: bucket.bucketName,
      AccessLogsBucketName: accessLogs.bucketName,
      TableName: table.table.tableName,
      StreamDefaults: JSON.stringify(this.functionsProps.streamDefaults),
      Engine: this.toJsonString(this.engine),
      ...(this.workerPolicy && { WorkerPolicyArn: this.workerPolicy.policy.managedPolicyArn }),
    });
  }

  #outputs(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}
