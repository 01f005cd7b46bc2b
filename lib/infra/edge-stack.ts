/** The CDN and the pages. Only AWS itself runs this. */

import { CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { Cdn } from './cdn.ts';
import type { CoreStack } from './core-stack.ts';
import { EdgeLogs } from './edge-logs.ts';
import type { DeploymentOptions } from './options.ts';
import { PageHosting } from './page-hosting.ts';
import { stackName } from './stage-names.ts';

export type EdgeStackProps = Readonly<{
  options: DeploymentOptions;
  core: CoreStack;
  contentSecurityPolicy: string;
}>;

export class EdgeStack extends Stack {
  constructor(scope: Construct, { options, core, ...rest }: EdgeStackProps) {
    const { stage, domain } = options;
    super(scope, stackName(stage, 'edge'), { description: `Rivulet ${stage}: CDN and pages` });
    const { bucket: logs } = new EdgeLogs(this, 'EdgeLogs');
    const { bucket: pages } = new PageHosting(this, 'PageHosting', { logs });
    const { distribution } = new Cdn(this, 'Cdn', {
      options,
      // By its name: the core's bucket policy lets the CDN read already, and must not wait for it.
      media: Bucket.fromBucketAttributes(this, 'Media', {
        bucketName: core.bucket.bucketName,
        bucketRegionalDomainName: core.bucket.bucketRegionalDomainName,
      }),
      pages,
      logs,
      apiHost: Fn.select(2, Fn.split('/', core.api.api.apiEndpoint)),
      ...rest,
    });
    const host = domain ?? distribution.distributionDomainName;
    new CfnOutput(this, 'CdnUrl', { value: `https://${host}` });
    new CfnOutput(this, 'PagesBucketName', { value: pages.bucketName });
    new CfnOutput(this, 'EdgeLogsBucketName', { value: logs.bucketName });
  }
}
