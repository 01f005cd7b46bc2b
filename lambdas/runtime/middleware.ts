/** The one shape of every handler: parse the input, run one step, answer. All of middy is here. */

import middy from '@middy/core';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import type { ErrorBody } from '../../lib/api/messages.ts';
import { reportError } from '../../lib/base/log.ts';
import { DomainError } from '../../lib/domain/errors.ts';

export type HttpEvent = APIGatewayProxyEventV2;
export type HttpResult = APIGatewayProxyStructuredResultV2;

/** Errors are news for a second at most; `no-store` would keep CDNs from joining requests. */
const ERROR_CACHE = 'public, max-age=1';

export const apiHandler = (run: (event: HttpEvent) => Promise<HttpResult>) =>
  middy<HttpEvent, HttpResult>()
    .onError((request) => {
      request.response = answerError(request.error);
    })
    .handler(run);

/** Each record on its own: what succeeded is acknowledged, what threw is delivered again. */
export const queueHandler = <Message>(
  schema: Readonly<{ parse(message: unknown): Message }>,
  run: (message: Message) => Promise<unknown>,
) =>
  middy<SQSEvent, SQSBatchResponse>().handler(async (event) => {
    const results: SQSBatchResponse['batchItemFailures'] = [];
    for (const record of event.Records) {
      try {
        await run(schema.parse(JSON.parse(record.body)));
      } catch (error) {
        // A lasting fault ends in the dead letters; the log has it with its message.
        reportError(error, 'handling a message', { record: record.body });
        results.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: results };
  });

function answerError(error: unknown): HttpResult {
  if (error instanceof DomainError) {
    const { code, message, hint, status } = error;
    const headers: Record<string, string> = { 'cache-control': ERROR_CACHE };
    // ffmpeg and curl send the password of a URL only when they are asked for it.
    if (status === 401) headers['www-authenticate'] = 'Basic realm="rivulet", charset="UTF-8"';
    if (status === 503) headers['retry-after'] = '1';
    return json(status, { code, message, hint } satisfies ErrorBody, headers);
  }
  reportError(error, 'handling a request');
  const body: ErrorBody = {
    code: 'internal',
    message: 'Something went wrong on our side.',
    hint: 'Try again; the log of the server says more.',
  };
  return json(500, body, { 'cache-control': ERROR_CACHE, 'retry-after': '1' });
}

export const json = (
  statusCode: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResult => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-cache', ...headers },
  body: JSON.stringify(body),
});

/** The body's bytes: the gateway hands them over as base64. */
export const bodyBytes = (event: HttpEvent): Uint8Array =>
  event.body === undefined
    ? new Uint8Array()
    : Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');

/** A parameter of the query, or the header `rivulet-NAME`. */
export const parameter = (event: HttpEvent, name: string): string | undefined => {
  const value = event.queryStringParameters?.[name] ?? event.headers[`rivulet-${name}`];
  return value === '' ? undefined : value;
};
