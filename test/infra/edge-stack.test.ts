import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { resourcesOf, templatesWith, textOf } from './synthesized.ts';

type Behavior = Readonly<{
  PathPattern?: string;
  CachePolicyId: unknown;
  ResponseHeadersPolicyId?: unknown;
  AllowedMethods?: string[];
  Compress: boolean;
  TargetOriginId: string;
  ViewerProtocolPolicy: string;
}>;

type Distribution = Readonly<{
  Aliases?: string[];
  CacheBehaviors: Behavior[];
  CustomErrorResponses: { ErrorCode: number; ErrorCachingMinTTL: number }[];
  DefaultCacheBehavior: Behavior;
  Logging: unknown;
  Origins: Record<string, unknown>[];
  PriceClass: string;
  ViewerCertificate?: Record<string, unknown>;
}>;

type Policy = Readonly<{
  MinTTL: number;
  DefaultTTL: number;
  MaxTTL: number;
  Name: string;
  ParametersInCacheKeyAndForwardedToOrigin: Record<string, Record<string, unknown> | boolean>;
}>;

function distributionOf(template: Template): Distribution {
  const [found] = resourcesOf(template, 'AWS::CloudFront::Distribution');
  assert.ok(found);
  return found[1].Properties.DistributionConfig as Distribution;
}

/** The cache policy of a path. */
function policyOf(template: Template, pattern: string): Policy {
  const { CacheBehaviors, DefaultCacheBehavior } = distributionOf(template);
  const behavior = CacheBehaviors.find(({ PathPattern }) => PathPattern === pattern);
  const id = textOf((behavior ?? DefaultCacheBehavior).CachePolicyId).slice(1, -1);
  const policies = new Map(resourcesOf(template, 'AWS::CloudFront::CachePolicy'));
  const config = policies.get(id)?.Properties.CachePolicyConfig;
  assert.ok(config, `${pattern} has no policy of its own`);
  return config as Policy;
}

describe('edge stack', () => {
  test('the CDN caches playlists as long as the origin says, media for ever, errors for a second', (t) => {
    const { edge } = templatesWith(t);
    const times = (pattern: string) => {
      const { MinTTL, DefaultTTL, MaxTTL } = policyOf(edge, pattern);
      return [MinTTL, DefaultTTL, MaxTTL];
    };
    for (const pattern of [
      '/viewstream/metadata/*/*.m3u8',
      '/viewstream/metadata/*.m3u8',
      '/viewstream/metadata/*.mpd',
      '/viewstream/metadata/*',
      '/viewstream/*',
    ]) {
      assert.deepEqual(times(pattern), [0, 1, 10], pattern);
    }
    assert.deepEqual(times('/viewstream/*/clip*'), [0, 1, 300]);
    assert.deepEqual(times('/media/*'), [86_400, 31_536_000, 31_536_000]);
    const errors = distributionOf(edge).CustomErrorResponses;
    assert.deepEqual(
      errors.map(({ ErrorCode }) => ErrorCode).toSorted(),
      [400, 403, 404, 500, 502, 503, 504],
    );
    for (const { ErrorCachingMinTTL } of errors) assert.equal(ErrorCachingMinTTL, 1);
  });

  test('the cache key has only what changes an answer, so that requests are joined', (t) => {
    const { edge } = templatesWith(t);
    const keyOf = (pattern: string) => {
      const parameters = policyOf(edge, pattern).ParametersInCacheKeyAndForwardedToOrigin;
      const { CookiesConfig, HeadersConfig, QueryStringsConfig } = parameters as Record<
        string,
        Record<string, unknown>
      >;
      assert.deepEqual(CookiesConfig, { CookieBehavior: 'none' }, pattern);
      return [QueryStringsConfig?.QueryStrings ?? [], HeadersConfig?.Headers ?? []];
    };
    assert.deepEqual(keyOf('/viewstream/metadata/*/*.m3u8'), [['view', 'broadcast', 'kept'], []]);
    const country = 'CloudFront-Viewer-Country';
    for (const pattern of ['/viewstream/metadata/*.m3u8', '/viewstream/metadata/*.mpd']) {
      assert.deepEqual(keyOf(pattern), [['view', 'broadcast', 'kept'], [country]]);
    }
    assert.deepEqual(keyOf('/viewstream/metadata/*'), [['format'], ['Accept', country]]);
    assert.deepEqual(keyOf('/viewstream/*/clip*'), [
      ['from', 'to', 'format', 'resolution', 'wait'],
      [],
    ]);
    assert.deepEqual(keyOf('/viewstream/*'), [
      ['timestamp', 'format', 'resolution', 'lang', 'width', 'wait'],
      ['Accept'],
    ]);
    const whole = ['/media/*', '/viewstream/segment/*', '/time', '/viewstream/captions/*'];
    for (const pattern of whole) assert.deepEqual(keyOf(pattern), [[], []], pattern);
    const patterns = distributionOf(edge).CacheBehaviors.map(({ PathPattern }) => PathPattern);
    assert.deepEqual(patterns.slice(1, 10), [
      '/viewstream/metadata/*/*.m3u8',
      '/viewstream/metadata/*.m3u8',
      '/viewstream/metadata/*.mpd',
      '/viewstream/metadata/*',
      '/viewstream/segment/*',
      '/time',
      '/viewstream/captions/*',
      '/viewstream/*/clip*',
      '/viewstream/*',
    ]);
  });

  test('the CDN compresses playlists and pages but not media, and serves nothing without TLS', (t) => {
    const { CacheBehaviors, DefaultCacheBehavior } = distributionOf(templatesWith(t).edge);
    for (const { PathPattern, Compress, ViewerProtocolPolicy } of CacheBehaviors) {
      assert.equal(Compress, PathPattern !== '/media/*', PathPattern);
      assert.match(ViewerProtocolPolicy, /^(?:https-only|redirect-to-https)$/);
    }
    assert.equal(DefaultCacheBehavior.Compress, true);
  });

  test('players of any origin may read, and calls of encoders and owners pass uncached, but for lists of markers', (t) => {
    const { edge } = templatesWith(t);
    const policies = resourcesOf(edge, 'AWS::CloudFront::ResponseHeadersPolicy').map(
      ([, { Properties }]) => JSON.stringify(Properties.ResponseHeadersPolicyConfig),
    );
    assert.equal(policies.filter((policy) => policy.includes('"Items":["*"]')).length, 1);
    assert.ok(policies.some((policy) => policy.includes("default-src 'self'")));
    const open = distributionOf(edge).CacheBehaviors.filter(({ AllowedMethods }) =>
      AllowedMethods?.includes('PUT'),
    );
    assert.deepEqual(
      open.map(({ PathPattern }) => PathPattern),
      ['/markers/*', '/captions/*', '/clips/*', '/streams', '/streams/*', '/upload/*', '/healthz'],
    );
    const uncached = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
    for (const { PathPattern, CachePolicyId } of open) {
      assert.equal(CachePolicyId === uncached, PathPattern !== '/markers/*', PathPattern);
    }
  });

  test('the CDN reads its buckets by origin access control, and writes access logs', (t) => {
    const { edge } = templatesWith(t);
    const { Origins, Logging } = distributionOf(edge);
    assert.equal(Origins.filter((origin) => origin.OriginAccessControlId).length, 2);
    assert.equal(Origins.length, 3);
    assert.ok(Logging);
    for (const [, { Properties }] of resourcesOf(edge, 'AWS::S3::Bucket')) {
      assert.ok(Properties.PublicAccessBlockConfiguration);
    }
  });

  test('domain, origin shield and price class follow the options', (t) => {
    const certificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/abc';
    const plain = distributionOf(templatesWith(t).edge);
    assert.equal(plain.Aliases, undefined);
    assert.equal(plain.PriceClass, 'PriceClass_100');
    assert.doesNotMatch(JSON.stringify(plain.Origins), /"Enabled":true/);
    const { edge } = templatesWith(t, {
      domain: 'live.example.com',
      certificateArn,
      priceClass: 'all',
      originShieldRegion: 'eu-central-1',
    });
    const own = distributionOf(edge);
    assert.deepEqual(own.Aliases, ['live.example.com']);
    assert.equal(own.ViewerCertificate?.AcmCertificateArn, certificateArn);
    assert.equal(own.ViewerCertificate?.MinimumProtocolVersion, 'TLSv1.2_2021');
    assert.equal(own.PriceClass, 'PriceClass_All');
    const shielded = own.Origins.filter((origin) =>
      JSON.stringify(origin).includes('"OriginShieldRegion":"eu-central-1"'),
    );
    assert.equal(shielded.length, 2, 'media and API; pages are hardly ever asked for');
    assert.deepEqual(Object.values(edge.findOutputs('CdnUrl')), [
      { Value: 'https://live.example.com' },
    ]);
  });
});
