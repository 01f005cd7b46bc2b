/** Access logs of the CDN and of the page bucket, kept for a month. */

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Bucket, type IBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PRIVATE_BUCKET } from './media-storage.ts';
import { LOG_DAYS } from './stage-names.ts';

export class EdgeLogs extends Construct {
  readonly bucket: IBucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const bucket = new Bucket(this, 'Bucket', {
      ...PRIVATE_BUCKET,
      // CloudFront writes its logs as another account, which takes an ACL.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(LOG_DAYS) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.bucket = bucket as IBucket;
  }
}
