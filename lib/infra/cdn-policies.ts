/** What the CDN keeps, for how long, and by which parts of a request; and what it adds to answers. */

import { Duration } from 'aws-cdk-lib';
import {
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  type CachePolicyProps,
  CacheQueryStringBehavior,
  Function as EdgeFunction,
  FunctionCode,
  FunctionRuntime,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  ResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import { NORMAL_ACCEPT } from './accept-at-edge.ts';
import { stackName } from './stage-names.ts';

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

/** The default language may follow from it. Of no route but those of multivariant playlists and MPDs. */
const VIEWER_COUNTRY = 'CloudFront-Viewer-Country';

const SECURITY = {
  contentTypeOptions: { override: true },
  strictTransportSecurity: {
    accessControlMaxAge: TWO_YEARS,
    includeSubdomains: false,
    override: true,
  },
} as const;

const NAME_OF_PAGE = `function handler(event) {
  var request = event.request;
  if (/^\\/[a-z]+$/.test(request.uri)) request.uri += '.html';
  return request;
}`;

const FORWARD_HOST = `function handler(event) {
  var request = event.request;
  request.headers['x-forwarded-host'] = { value: request.headers.host.value };
  return request;
}`;

export type CdnPolicies = ReturnType<typeof cdnPolicies>;

export function cdnPolicies(scope: Construct, stage: string, contentSecurityPolicy: string) {
  const nameOf = (policy: string): string => `${stackName(stage, 'edge')}-${policy}`;
  const cache = (name: string, props: CachePolicyProps): CachePolicy =>
    new CachePolicy(scope, name, {
      cachePolicyName: nameOf(name.toLowerCase()),
      cookieBehavior: CacheCookieBehavior.none(),
      headerBehavior: CacheHeaderBehavior.none(),
      queryStringBehavior: CacheQueryStringBehavior.none(),
      ...props,
    });
  const query = (...names: string[]) => CacheQueryStringBehavior.allowList(...names);
  return {
    playlists: cache('Playlists', {
      ...FRESH,
      queryStringBehavior: query('view', 'broadcast', 'kept'),
    }),
    // Edges have mostly viewers of one country, so its part in the key costs few requests.
    multivariants: cache('Multivariants', {
      ...FRESH,
      queryStringBehavior: query('view', 'broadcast', 'kept'),
      headerBehavior: CacheHeaderBehavior.allowList(VIEWER_COUNTRY),
    }),
    metadata: cache('Metadata', {
      ...FRESH,
      queryStringBehavior: query('format'),
      // A client that accepts JSON gets JSON; players send one of very few values.
      headerBehavior: CacheHeaderBehavior.allowList('Accept', VIEWER_COUNTRY),
    }),
    moments: cache('Moments', {
      ...FRESH,
      queryStringBehavior: query('timestamp', 'format', 'resolution', 'lang', 'width', 'wait'),
      // As `normalAccept` leaves it.
      headerBehavior: CacheHeaderBehavior.allowList('Accept'),
    }),
    // What is found stays for ever; what is not may be there in a second.
    segments: cache('Segments', { ...FRESH, maxTtl: YEAR }),
    // Segments never change; the file of a whole recording may.
    captions: cache('Captions', { ...FRESH, maxTtl: YEAR }),
    clips: cache('Clips', {
      ...FRESH,
      // The origin says five minutes: what a clip lists stays.
      maxTtl: Duration.minutes(5),
      queryStringBehavior: query('from', 'to', 'format', 'resolution', 'wait'),
    }),
    markers: cache('Markers', {
      ...FRESH,
      queryStringBehavior: query('from', 'to', 'class', 'since'),
    }),
    streamPages: cache('StreamPages', {
      ...FRESH,
      headerBehavior: CacheHeaderBehavior.allowList('x-forwarded-host'),
    }),
    /** `/studio` is the file `studio.html`. */
    nameOfPage: new EdgeFunction(scope, 'NameOfPage', {
      functionName: nameOf('name-of-page'),
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(NAME_OF_PAGE),
    }),
    /** Without a format in the query the Accept header decides it. */
    normalAccept: new EdgeFunction(scope, 'NormalAccept', {
      functionName: nameOf('normal-accept'),
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(NORMAL_ACCEPT),
    }),
    /** The origin gets its own name as host, not the one that the viewer asked. */
    forwardHost: new EdgeFunction(scope, 'ForwardHost', {
      functionName: nameOf('forward-host'),
      runtime: FunctionRuntime.JS_2_0,
      code: FunctionCode.fromInline(FORWARD_HOST),
    }),
    // Names are never used twice.
    media: cache('Media', { minTtl: Duration.days(1), defaultTtl: YEAR, maxTtl: YEAR }),
    pages: cache('Pages', { ...FRESH, defaultTtl: Duration.minutes(1), maxTtl: YEAR }),
    /** Players and pages may live anywhere. */
    playerHeaders: new ResponseHeadersPolicy(scope, 'PlayerHeaders', {
      responseHeadersPolicyName: nameOf('player'),
      corsBehavior: {
        accessControlAllowOrigins: ['*'],
        accessControlAllowMethods: ['GET', 'HEAD', 'OPTIONS'],
        accessControlAllowHeaders: ['*'],
        accessControlExposeHeaders: [
          ...['Content-Length', 'Content-Range', 'ETag', 'Date', 'Age'],
          ...['Rivulet-Resolution', 'Rivulet-Language'],
        ],
        accessControlAllowCredentials: false,
        accessControlMaxAge: Duration.hours(2),
        originOverride: true,
      },
      securityHeadersBehavior: SECURITY,
    }),
    pageHeaders: new ResponseHeadersPolicy(scope, 'PageHeaders', {
      responseHeadersPolicyName: nameOf('page'),
      securityHeadersBehavior: {
        ...SECURITY,
        contentSecurityPolicy: { contentSecurityPolicy, override: true },
        frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
        referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
      },
    }),
  };
}
