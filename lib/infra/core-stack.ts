/** Everything but workers, CDN and alarms: what an emulator can run, too. */

import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { AwsEngineEnvironment } from '../aws/aws-config.ts';
import { TABLE_SCHEMA } from '../aws/table-schema.ts';
import { forEachQueue, QUEUE_NAMES, type QueueVariable, queueVariable } from '../ports/queues.ts';
import { FUNCTIONS } from './function-table.ts';
import { Functions, type FunctionsProps } from './functions.ts';
import { httpApi } from './http-api.ts';
import { mediaStorage } from './media-storage.ts';
import type { DeploymentOptions } from './options.ts';
import { workerPolicy } from './permissions.ts';
import { Queues } from './queues.ts';
import { retentionCheck } from './retention-check.ts';
import { stackName, workersName } from './stage-names.ts';

type CoreStackProps = Readonly<{ options: DeploymentOptions; bundles: string }>;

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
    retentionCheck(new Construct(this, 'RetentionCheck'), stage, queues);
    const { bucket, accessLogs } = mediaStorage(
      new Construct(this, 'MediaStorage'),
      queues.queues.uploadCompleted,
    );
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
      streamDefaults: {
        ...{ ladder, dvrWindowSeconds },
        ...(retentionDays > 0 && { retention: { days: retentionDays } }),
      },
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
    this.api = httpApi(new Construct(this, 'HttpApi'), stage, this.functions);
    if (workers === 'none') {
      const { scope: permissions } = this.functionsProps;
      this.workerPolicy = workerPolicy(new Construct(this, 'WorkerPolicy'), stage, permissions);
    }
    const outputs = {
      ApiUrl: this.api.apiEndpoint,
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

const { partitionKey, sortKey, timeToLive } = TABLE_SCHEMA;

/** The record store: one table. */
const streamTable = (scope: Construct): TableV2 =>
  new TableV2(scope, 'Table', {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    sortKey: { name: sortKey, type: AttributeType.STRING },
    timeToLiveAttribute: timeToLive,
    // Nothing to pay while nobody streams.
    billing: Billing.onDemand(),
    encryption: TableEncryptionV2.dynamoOwnedKey(),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy: RemovalPolicy.RETAIN,
  });

const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** The ARN of the owner key, which Secrets Manager generates: it is in no template or log. */
function ownerKey(scope: Construct): string {
  const secret = new Secret(scope, 'Secret', {
    description: 'Owner key: creates, lists and deletes streams',
    // Unreserved in URLs: the key stands in https://x:KEY@host/… as it is.
    generateSecretString: { passwordLength: 40, excludeCharacters: PUNCTUATION },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason:
      'Encoders are configured with this key by hand; an automatic rotation would stop their streams. The owner changes it with put-secret-value, and functions follow within five minutes.',
  });
  // By its attribute: emulators give the name where CloudFormation's `Ref` gives the ARN.
  return (secret.node.defaultChild as CfnSecret).attrId;
}
