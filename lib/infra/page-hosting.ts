/** The pages: a private bucket that the CDN reads. The deploy fills it when the stacks stand. */

import { RemovalPolicy } from 'aws-cdk-lib';
import { Bucket, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PRIVATE_BUCKET } from './media-storage.ts';

export class PageHosting extends Construct {
  readonly bucket: IBucket;

  constructor(scope: Construct, id: string, { logs }: Readonly<{ logs: IBucket }>) {
    super(scope, id);
    const bucket = new Bucket(this, 'Bucket', {
      ...PRIVATE_BUCKET,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      serverAccessLogsBucket: logs,
      serverAccessLogsPrefix: 'pages/',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // The CDK's types do not know exact optional properties.
    this.bucket = bucket as IBucket;
  }
}
