/** The CDN: pages and media from their buckets, playlists and the API from the HTTP API. */

import { Duration, Validations } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CachePolicy,
  Distribution,
  FunctionEventType,
  HttpVersion,
  type IOrigin,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin, S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type CdnPolicies, cdnPolicies } from './cdn-policies.ts';
import type { DeploymentOptions } from './options.ts';
import { PROJECT } from './stage-names.ts';

export type CdnProps = Readonly<{
  options: DeploymentOptions;
  media: IBucket;
  pages: IBucket;
  logs: IBucket;
  /** Host of the HTTP API. */
  apiHost: string;
  contentSecurityPolicy: string;
}>;

const PRICE_CLASSES = {
  100: PriceClass.PRICE_CLASS_100,
  200: PriceClass.PRICE_CLASS_200,
  all: PriceClass.PRICE_CLASS_ALL,
} as const;

/** A playlist names nothing that is not stored: what is missing now may be there in a second. */
const BRIEFLY_CACHED_ERRORS = [400, 403, 404, 500, 502, 503, 504];

export function cdn(scope: Construct, props: CdnProps): Distribution {
  const { options, contentSecurityPolicy, media, pages, logs, apiHost } = props;
  const { stage, domain, certificateArn, priceClass, originShieldRegion } = options;
  const shield = originShieldRegion === undefined ? {} : { originShieldRegion };
  const policies = cdnPolicies(new Construct(scope, 'Policies'), stage, contentSecurityPolicy);
  const api = new HttpOrigin(apiHost, {
    protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
    readTimeout: Duration.seconds(30),
    // Live viewers cannot wait for the default of three times ten seconds.
    connectionTimeout: Duration.seconds(3),
    connectionAttempts: 2,
    ...shield,
  });
  const distribution = new Distribution(scope, 'Distribution', {
    comment: `${PROJECT} ${stage}`,
    defaultRootObject: 'index.html',
    httpVersion: HttpVersion.HTTP2_AND_3,
    priceClass: PRICE_CLASSES[priceClass],
    ...(domain !== undefined &&
      certificateArn !== undefined && {
        minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
        domainNames: [domain],
        certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
      }),
    enableLogging: true,
    logBucket: logs,
    logFilePrefix: 'cdn/',
    defaultBehavior: {
      origin: S3BucketOrigin.withOriginAccessControl(pages),
      cachePolicy: policies.pages,
      responseHeadersPolicy: policies.pageHeaders,
      viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      functionAssociations: [
        { function: policies.nameOfPage, eventType: FunctionEventType.VIEWER_REQUEST },
      ],
    },
    additionalBehaviors: {
      '/media/*': {
        ...READ,
        origin: S3BucketOrigin.withOriginAccessControl(media, shield),
        cachePolicy: policies.media,
        responseHeadersPolicy: policies.playerHeaders,
        // Nothing of it gets smaller.
        compress: false,
      },
      '/viewstream/metadata/*/*.m3u8': view(api, policies.playlists, policies),
      '/viewstream/metadata/*.m3u8': view(api, policies.multivariants, policies),
      '/viewstream/metadata/*.mpd': view(api, policies.multivariants, policies),
      '/viewstream/metadata/*': view(api, policies.metadata, policies),
      '/viewstream/segment/*': view(api, policies.segments, policies),
      '/time': view(api, policies.segments, policies),
      '/viewstream/captions/*': view(api, policies.captions, policies),
      '/viewstream/*/clip*': view(api, policies.clips, policies),
      '/viewstream/*': {
        ...view(api, policies.moments, policies),
        functionAssociations: [
          { function: policies.normalAccept, eventType: FunctionEventType.VIEWER_REQUEST },
        ],
      },
      '/watch/*': page(api, policies),
      '/embed/*': page(api, policies),
      '/markers/*': {
        ...pass(api),
        cachePolicy: policies.markers,
        responseHeadersPolicy: policies.playerHeaders,
        viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        compress: true,
      },
      '/captions/*': pass(api),
      '/clips/*': pass(api),
      '/streams': pass(api),
      '/streams/*': pass(api),
      '/upload/*': pass(api),
      '/healthz': pass(api),
    },
    errorResponses: BRIEFLY_CACHED_ERRORS.map((httpStatus) => ({
      httpStatus,
      ttl: Duration.seconds(1),
    })),
  });
  acknowledge(distribution, domain !== undefined);
  return distribution;
}

function acknowledge(distribution: Distribution, hasDomain: boolean): void {
  const known = {
    'Annotation::@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac':
      'The policy that lets the CDN read stands in the core, with the bucket.',
    'AwsSolutions-CFR1':
      'Who may watch from where is for the owner to say; nothing is known of it here.',
    'AwsSolutions-CFR2':
      'A web ACL costs money while nobody streams; media is public and keys guard the rest.',
    ...(!hasDomain && {
      'AwsSolutions-CFR4':
        "Without a domain of one's own CloudFront's certificate serves, with the protocols it has.",
    }),
  };
  for (const [id, reason] of Object.entries(known)) {
    Validations.of(distribution).acknowledge({ id, reason });
  }
}

const READ = {
  viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
  allowedMethods: AllowedMethods.ALLOW_GET_HEAD_OPTIONS,
} as const;

const view = (
  origin: IOrigin,
  cachePolicy: CachePolicy,
  policies: CdnPolicies,
): BehaviorOptions => ({
  ...READ,
  origin,
  cachePolicy,
  responseHeadersPolicy: policies.playerHeaders,
  compress: true,
});

/** Pages whose head says what they show, with this host in it. */
const page = (origin: IOrigin, policies: CdnPolicies): BehaviorOptions => ({
  ...READ,
  origin,
  cachePolicy: policies.streamPages,
  functionAssociations: [
    { function: policies.forwardHost, eventType: FunctionEventType.VIEWER_REQUEST },
  ],
  compress: true,
});

/** The owner's and the encoders' calls, as they come. */
const pass = (origin: IOrigin): BehaviorOptions => ({
  origin,
  allowedMethods: AllowedMethods.ALLOW_ALL,
  viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
  cachePolicy: CachePolicy.CACHING_DISABLED,
  originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
});
