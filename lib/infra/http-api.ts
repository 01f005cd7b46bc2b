/** The HTTP API: the routes of the contract, each to its function. */

import { Duration, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CorsHttpMethod,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { ROUTES, type RouteName } from '../api/routes.ts';
import type { Functions } from './functions.ts';
import { logGroup } from './log-group.ts';
import { stackName } from './stage-names.ts';

/** Parameters of uploads that an encoder may send as headers. */
const OWN_HEADERS = ['at', 'digest', 'duration', 'kind', 'name', 'segment', 'session', 'size'];

const CORS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const WHO_MAY: Readonly<Record<'owner' | 'encoder' | 'viewer', string>> = {
  owner: 'The function asks for the owner key itself and compares it in constant time.',
  encoder:
    'The function asks for the key itself: encoders send it as the password of Basic, which the authorizers of HTTP APIs do not read.',
  viewer: 'Streams are public to watch, and the CDN in front answers for many at once.',
};

const callerOf = (path: string): keyof typeof WHO_MAY =>
  path.startsWith('/streams') ? 'owner' : path.startsWith('/upload') ? 'encoder' : 'viewer';

export function httpApi(scope: Construct, stage: string, functions: Functions): HttpApi {
  const api = new HttpApi(scope, 'Api', {
    apiName: stackName(stage, 'core'),
    createDefaultStage: false,
    corsPreflight: {
      allowOrigins: ['*'],
      allowMethods: CORS_METHODS.map((method) => CorsHttpMethod[method]),
      allowHeaders: [
        'authorization',
        'content-type',
        'range',
        ...OWN_HEADERS.map((name) => `rivulet-${name}`),
      ],
      exposeHeaders: [
        ...['content-length', 'content-range', 'etag'],
        ...['rivulet-resolution', 'rivulet-language'],
      ],
      maxAge: Duration.hours(2),
    },
  });
  const log = logGroup(scope, 'AccessLog', stage, 'access');
  new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    accessLogSettings: {
      destination: new LogGroupLogDestination(log as ILogGroup),
      format: AccessLogFormat.custom(ACCESS_LINE),
    },
  });
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    const { lambda } = functions.forRoute(name as RouteName);
    const routes = api.addRoutes({
      path,
      methods: [HttpMethod[method]],
      integration: new HttpLambdaIntegration(name, lambda),
    });
    for (const route of routes) {
      const reason = WHO_MAY[callerOf(path)];
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason });
    }
  }
  return api;
}

/** Without query strings and addresses: both may be personal data. */
const ACCESS_LINE = JSON.stringify({
  time: '$context.requestTime',
  requestId: '$context.requestId',
  route: '$context.routeKey',
  path: '$context.path',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  functionMs: '$context.integrationLatency',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
});
