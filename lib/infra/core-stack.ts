/** Everything but workers, CDN and alarms: what an emulator can run, too. */

import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import { forEachQueue, QUEUE_NAMES, type QueueVariable, queueVariable } from '../ports/queues.ts';
import { FUNCTIONS } from './function-table.ts';
import { Functions, type FunctionsProps } from './functions.ts';
import { HttpApi } from './http-api.ts';
import { MediaStorage } from './media-storage.ts';
import type { DeploymentOptions } from './options.ts';
import { ownerKey } from './owner-key.ts';
import { Queues } from './queues.ts';
import { stackName, workersName } from './stage-names.ts';
import { streamTable } from './stream-table.ts';
import { workerPolicy } from './worker-permissions.ts';

export type CoreStackProps = Readonly<{ options: DeploymentOptions; bundles: string }>;

export class CoreStack extends Stack {
  readonly bucket: Bucket;
  readonly api: HttpApi;
  readonly table: TableV2;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly engine: AwsEngineEnvironment;
  /** For workers of one's own; there is none where Fargate has them. */
  readonly workerPolicy?: ManagedPolicy;
  /** What the functions of the workers' stack are made with as well. */
  readonly functionsProps: FunctionsProps;

  constructor(scope: Construct, { options, bundles }: CoreStackProps) {
    const { stage, workers, architecture, retentionDays, ladder, dvrWindowSeconds } = options;
    super(scope, stackName(stage, 'core'), { description: `Rivulet ${stage}: streams` });
    const ownerKeyArn = ownerKey(new Construct(this, 'OwnerKey'));
    const table = streamTable(new Construct(this, 'StreamTable'));
    const queues = new Queues(this, 'Queues', { stage });
    const { bucket, accessLogs } = new MediaStorage(this, 'MediaStorage', {
      retentionDays,
      uploadCompleted: queues.queues.uploadCompleted,
    });
    this.table = table;
    this.bucket = bucket;
    this.queues = queues;
    this.engine = {
      RIVULET_BUCKET: bucket.bucketName,
      RIVULET_TABLE: table.tableName,
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
      ownerKeyArn,
      streamDefaults: { ladder, dvrWindowSeconds },
      queues,
      scope: {
        bucketArn: bucket.bucketArn,
        tableArn: table.tableArn,
        queueArns: forEachQueue((name) => queues.queues[name].queueArn),
        ownerKeyArn,
        workersName: workersName(stage),
      },
    };
    const specs = FUNCTIONS.filter(([, { withWorkers }]) => !withWorkers);
    this.functions = new Functions(this, 'Functions', this.functionsProps, specs);
    this.api = new HttpApi(this, 'HttpApi', { stage, functions: this.functions });
    if (workers === 'none') {
      const { scope: permissions } = this.functionsProps;
      this.workerPolicy = workerPolicy(new Construct(this, 'WorkerPolicy'), stage, permissions);
    }
    const outputs = {
      ApiUrl: this.api.api.apiEndpoint,
      OwnerKeySecret: ownerKeyArn,
      BucketName: bucket.bucketName,
      AccessLogsBucketName: accessLogs.bucketName,
      TableName: table.tableName,
      StreamDefaults: JSON.stringify(this.functionsProps.streamDefaults),
      Engine: this.toJsonString(this.engine),
      ...(this.workerPolicy && { WorkerPolicyArn: this.workerPolicy.managedPolicyArn }),
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
