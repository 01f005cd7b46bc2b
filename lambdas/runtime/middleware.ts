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

/** How a request that has no right to be answered is refused. */
export type Refusal = Readonly<{ answer: HttpResult; isWrongKey: boolean }>;

/**
 * A handler of callers with a key. `admit` throws for those that have none, and looks at method, path
 * and headers alone; `run` is given what it finds. A server that holds a request's body back asks
 * `refusal` first; undefined: the caller is admitted.
 */
export const keyedHandler = <Access>(
  admit: (event: HttpEvent) => Promise<Access>,
  run: (event: HttpEvent, access: Access) => Promise<HttpResult>,
) =>
  Object.assign(
    apiHandler(async (event) => run(event, await admit(event))),
    {
      async refusal(event: HttpEvent): Promise<Refusal | undefined> {
        try {
          await admit(event);
          return undefined;
        } catch (error) {
          const isWrongKey = error instanceof DomainError && error.code === 'forbidden';
          return { answer: answerError(error), isWrongKey };
        }
      },
    },
  );

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

function answerError(given: unknown): HttpResult {
  const error = isThrottled(given) ? throttled() : given;
  if (error instanceof DomainError) {
    const { code, message, hint, status } = error;
    if (status === 507) reportError(error, 'handling a request');
    const headers: Record<string, string> = { 'cache-control': ERROR_CACHE };
    // ffmpeg and curl send the password of a URL only when they are asked for it.
    if (status === 401) headers['www-authenticate'] = 'Basic realm="rivulet", charset="UTF-8"';
    if (status === 503) headers['retry-after'] = code === 'not_ready' ? '10' : '1';
    if (status === 507) headers['retry-after'] = '10';
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

/** What a service of AWS has no capacity for now; its client has tried again already. */
const isThrottled = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false;
  const { $fault: fault, $retryable: retryable } = error as {
    $fault?: string;
    $retryable?: object;
  };
  return fault === 'server' || retryable !== undefined;
};

const throttled = (): DomainError =>
  new DomainError(
    'unavailable',
    'The storage of the server does not take this now.',
    'Send it again in a second.',
  );

export const json = (
  statusCode: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResult => ({
  statusCode,
  headers: {
    'content-type': 'application/json',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    ...headers,
  },
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
