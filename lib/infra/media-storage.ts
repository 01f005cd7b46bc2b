/** The bucket of all media, private; S3 reports presigned uploads. */

import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  HttpMethods,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { CfnQueuePolicy, type Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { LOG_DAYS } from './stage-names.ts';

export const PRIVATE_BUCKET = {
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  encryption: BucketEncryption.S3_MANAGED,
  enforceSSL: true,
} as const;

export type MediaStorage = Readonly<{ bucket: Bucket; accessLogs: Bucket }>;

/** `uploadCompleted`: where S3 reports presigned uploads. */
export function mediaStorage(scope: Construct, uploadCompleted: Queue): MediaStorage {
  const accessLogs = new Bucket(scope, 'AccessLogs', {
    ...PRIVATE_BUCKET,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [{ expiration: Duration.days(LOG_DAYS) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const bucket = new Bucket(scope, 'Bucket', {
    ...PRIVATE_BUCKET,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    // The CDK's types do not know exact optional properties.
    serverAccessLogsBucket: accessLogs as IBucket,
    serverAccessLogsPrefix: 'media/',
    // What expires is for retention to remove: it takes it out of the playlists first. Whole files may be
    // resumed so long.
    lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    cors: [
      {
        // Presigned uploads from pages; the signature says who may.
        allowedMethods: [HttpMethods.PUT],
        allowedOrigins: ['*'],
        allowedHeaders: ['content-type', 'if-none-match', 'x-amz-checksum-sha256'],
        maxAge: 7200,
      },
    ],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  letCdnRead(bucket);
  reportUploads(bucket, uploadCompleted);
  return { bucket, accessLogs };
}

/**
 * Any distribution of this account: the one of this stage belongs to a stack that depends on this
 * one, so its id is not known here. The ARN carries the account; CloudFront is not said to send
 * `aws:SourceAccount` as well.
 */
function letCdnRead(bucket: Bucket): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['s3:GetObject'],
      resources: [bucket.arnForObjects('media/*')],
      conditions: {
        ArnLike: {
          'aws:SourceArn': `arn:${Aws.PARTITION}:cloudfront::${Aws.ACCOUNT_ID}:distribution/*`,
        },
      },
    }),
  );
}

/** Set on the resource itself: `addEventNotification` would bring a function with wide permissions along. */
function reportUploads(bucket: Bucket, queue: Queue): void {
  queue.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [queue.queueArn],
      // S3 tries the queue when it makes the bucket, so the policy cannot name the bucket.
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = {
    queueConfigurations: [
      {
        event: 's3:ObjectCreated:Put',
        queue: queue.queueArn,
        filter: {
          s3Key: {
            rules: [
              { name: 'prefix', value: 'source/' },
              { name: 'suffix', value: '.bin' },
            ],
          },
        },
      },
    ],
  };
  const policies = queue.node.findAll().filter((node) => node instanceof CfnQueuePolicy);
  for (const policy of policies) resource.addResourceDependency(policy);
}
