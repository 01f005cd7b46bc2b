/** What the CDN keeps, for how long, and by which parts of a request; and what it adds to answers. */

import { Duration } from 'aws-cdk-lib';
import {
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  type CachePolicyProps,
  CacheQueryStringBehavior,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  ResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { Construct } from 'constructs';
import { stackName } from './stage-names.ts';

export type CdnPoliciesProps = Readonly<{ stage: string; contentSecurityPolicy: string }>;

const YEAR = Duration.days(365);
const TWO_YEARS = Duration.days(730);

/**
 * The origin says 1 s while a stream is live and 10 s when it has ended. The minimum is 0 and no
 * cookie counts: otherwise edges would not join requests that come at once.
 */
const FRESH = {
  minTtl: Duration.seconds(0),
  defaultTtl: Duration.seconds(1),
  maxTtl: Duration.seconds(10),
  enableAcceptEncodingGzip: true,
  enableAcceptEncodingBrotli: true,
} as const;

export class CdnPolicies extends Construct {
  readonly playlists: CachePolicy;
  readonly metadata: CachePolicy;
  readonly moments: CachePolicy;
  readonly media: CachePolicy;
  readonly pages: CachePolicy;
  readonly playerHeaders: ResponseHeadersPolicy;
  readonly pageHeaders: ResponseHeadersPolicy;
  readonly #stage: string;

  constructor(scope: Construct, id: string, props: CdnPoliciesProps) {
    super(scope, id);
    this.#stage = props.stage;
    this.playlists = this.#cache('Playlists', {
      ...FRESH,
      queryStringBehavior: CacheQueryStringBehavior.allowList('view'),
    });
    this.metadata = this.#cache('Metadata', {
      ...FRESH,
      queryStringBehavior: CacheQueryStringBehavior.allowList('format'),
      // A client that accepts JSON gets JSON; players send one of very few values.
      headerBehavior: CacheHeaderBehavior.allowList('Accept'),
    });
    this.moments = this.#cache('Moments', {
      ...FRESH,
      queryStringBehavior: CacheQueryStringBehavior.allowList(
        'timestamp',
        'format',
        'resolution',
        'lang',
      ),
    });
    this.media = this.#cache('Media', {
      // Names are never used twice.
      minTtl: Duration.days(1),
      defaultTtl: YEAR,
      maxTtl: YEAR,
    });
    this.pages = this.#cache('Pages', {
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.minutes(1),
      maxTtl: YEAR,
      enableAcceptEncodingGzip: true,
      enableAcceptEncodingBrotli: true,
    });
    this.playerHeaders = this.#playerHeaders();
    this.pageHeaders = this.#pageHeaders(props.contentSecurityPolicy);
  }

  #cache(name: string, props: CachePolicyProps): CachePolicy {
    return new CachePolicy(this, name, {
      cachePolicyName: `${stackName(this.#stage, 'edge')}-${name.toLowerCase()}`,
      cookieBehavior: CacheCookieBehavior.none(),
      headerBehavior: CacheHeaderBehavior.none(),
      queryStringBehavior: CacheQueryStringBehavior.none(),
      ...props,
    });
  }

  /** Players and pages may live anywhere. */
  #playerHeaders(): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'PlayerHeaders', {
      responseHeadersPolicyName: `${stackName(this.#stage, 'edge')}-player`,
      corsBehavior: {
        accessControlAllowOrigins: ['*'],
        accessControlAllowMethods: ['GET', 'HEAD', 'OPTIONS'],
        accessControlAllowHeaders: ['*'],
        accessControlExposeHeaders: ['Content-Length', 'Content-Range', 'ETag', 'Date', 'Age'],
        accessControlAllowCredentials: false,
        accessControlMaxAge: Duration.hours(2),
        originOverride: true,
      },
      securityHeadersBehavior: { contentTypeOptions: { override: true }, ...HSTS },
    });
  }

  #pageHeaders(contentSecurityPolicy: string): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'PageHeaders', {
      responseHeadersPolicyName: `${stackName(this.#stage, 'edge')}-page`,
      securityHeadersBehavior: {
        ...HSTS,
        contentTypeOptions: { override: true },
        contentSecurityPolicy: { contentSecurityPolicy, override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: {
          referrerPolicy: HeadersReferrerPolicy.NO_REFERRER,
          override: true,
        },
      },
    });
  }
}

const HSTS = {
  strictTransportSecurity: {
    accessControlMaxAge: TWO_YEARS,
    includeSubdomains: false,
    override: true,
  },
} as const;
