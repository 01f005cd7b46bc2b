/** The CDN and the pages. Only AWS itself runs this. */

import { CfnOutput, Duration, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Bucket, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type CdnProps, cdn } from './cdn.ts';
import type { CoreStack } from './core-stack.ts';
import { PRIVATE_BUCKET } from './media-storage.ts';
import { LOG_DAYS, stackName } from './stage-names.ts';

type EdgeStackProps = Pick<CdnProps, 'options' | 'contentSecurityPolicy'> &
  Readonly<{ core: CoreStack }>;

export class EdgeStack extends Stack {
  constructor(scope: Construct, { options, core, ...rest }: EdgeStackProps) {
    const { stage, domain } = options;
    super(scope, stackName(stage, 'edge'), { description: `Rivulet ${stage}: CDN and pages` });
    const logs = logBucket(new Construct(this, 'EdgeLogs'));
    const pages = pageBucket(new Construct(this, 'PageHosting'), logs);
    const distribution = cdn(new Construct(this, 'Cdn'), {
      options,
      // By its name: the core's bucket policy lets the CDN read already, and must not wait for it.
      media: Bucket.fromBucketAttributes(this, 'Media', {
        bucketName: core.bucket.bucketName,
        bucketRegionalDomainName: core.bucket.bucketRegionalDomainName,
      }),
      pages,
      logs,
      apiHost: Fn.select(2, Fn.split('/', core.api.apiEndpoint)),
      ...rest,
    });
    const host = domain ?? distribution.distributionDomainName;
    new CfnOutput(this, 'CdnUrl', { value: `https://${host}` });
    new CfnOutput(this, 'PagesBucketName', { value: pages.bucketName });
    new CfnOutput(this, 'EdgeLogsBucketName', { value: logs.bucketName });
  }
}

/** Access logs of the CDN and of the page bucket. */
const logBucket = (scope: Construct): IBucket =>
  // The CDK's types do not know exact optional properties.
  new Bucket(scope, 'Bucket', {
    ...PRIVATE_BUCKET,
    // CloudFront writes its logs as another account, which takes an ACL.
    objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
    lifecycleRules: [{ expiration: Duration.days(LOG_DAYS) }],
    removalPolicy: RemovalPolicy.RETAIN,
  }) as IBucket;

/** Private: the CDN reads it. The deploy fills it when the stacks stand. */
const pageBucket = (scope: Construct, logs: IBucket): IBucket =>
  new Bucket(scope, 'Bucket', {
    ...PRIVATE_BUCKET,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    serverAccessLogsBucket: logs,
    serverAccessLogsPrefix: 'pages/',
    removalPolicy: RemovalPolicy.RETAIN,
  }) as IBucket;
