/**
 * Observability of the functions on AWS: one structured log line and one set of metrics (EMF) for
 * each invocation, under the ids of the segments that it served.
 */

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import middy, { type MiddlewareObj } from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { correlationOf, takeSent } from './correlation.ts';
import { bodyBytes, type HttpEvent, type HttpResult } from './middleware.ts';

/** Service name, namespace and level come from the environment, as Powertools names them. */
const logger = new Logger();
const metrics = new Metrics({ defaultDimensions: { stage: process.env.RIVULET_STAGE ?? 'local' } });

export type Measure = Readonly<{
  count(name: MetricName, value: number): void;
  milliseconds(name: MetricName, value: number): void;
}>;

/** The dashboard and the alarms ask for them under these names. */
export type MetricName =
  | 'BytesUploaded'
  | 'JobsWaiting'
  | 'PublishDelay'
  | 'QueueDelay'
  | 'SegmentsLost'
  | 'SegmentsUploaded'
  | 'StepFailures'
  | 'WorkersDesired'
  | 'WorkersRunning';

export const measure: Measure = {
  count: (name, value) => void metrics.addMetric(name, MetricUnit.Count, value),
  milliseconds: (name, value) => void metrics.addMetric(name, MetricUnit.Milliseconds, value),
};

/** Viewers' requests are many and alike: of those only the slow and the failed are worth a line. */
const SLOW_MS = 1000;

function writeLog(
  message: string,
  facts: Readonly<Record<string, unknown>>,
  isFault: boolean,
): void {
  if (isFault) logger.error(message, facts);
  else logger.info(message, facts);
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}

export type ApiHandler = (event: HttpEvent, context: Context) => Promise<HttpResult>;

export const observedApi = (
  handler: ApiHandler,
  before: () => Promise<unknown> = async () => {},
) => {
  const observe = (): MiddlewareObj<HttpEvent, HttpResult> => {
    let startMs = 0;
    return {
      async before() {
        startMs = performance.now();
        takeSent();
        await before();
      },
      after({ event, response, context }) {
        const { method, path } = event.requestContext.http;
        const status = response?.statusCode ?? 200;
        const durationMs = Math.round(performance.now() - startMs);
        const segments = takeSent();
        const isUpload = status === 201 && segments.length > 0;
        if (isUpload) {
          measure.count('SegmentsUploaded', 1);
          measure.count('BytesUploaded', bodyBytes(event).byteLength);
        }
        if (method === 'GET' && status < 400 && durationMs < SLOW_MS) return;
        const requestId = context.awsRequestId;
        const facts = { requestId, method, path, status, durationMs, correlationIds: segments };
        writeLog('request', facts, status >= 500);
      },
    };
  };
  return middy<HttpEvent, HttpResult>()
    .use(observe())
    .handler((event, context) => handler(event, context));
};

export type QueueHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

/** `after` learns which records were done. */
export const observedQueue = (
  handler: QueueHandler,
  after: (bodies: readonly string[]) => Promise<unknown> = async () => {},
) => {
  const observe: MiddlewareObj<SQSEvent, SQSBatchResponse> = {
    before({ event }) {
      takeSent();
      for (const { attributes } of event.Records) {
        const delayMs = Date.now() - Number(attributes.SentTimestamp);
        measure.milliseconds('QueueDelay', Math.max(0, delayMs));
      }
    },
    async after({ event, response, context }) {
      const failed = new Set(response?.batchItemFailures.map((item) => item.itemIdentifier));
      const done = event.Records.filter(({ messageId }) => !failed.has(messageId));
      await after(done.map(({ body }) => body));
      if (failed.size > 0) measure.count('StepFailures', failed.size);
      const ids = event.Records.map(({ body }) => correlationOf(body)).concat(takeSent());
      const facts = {
        requestId: context.awsRequestId,
        records: event.Records.length,
        failed: failed.size,
        correlationIds: [...new Set(ids)].filter((id) => id !== undefined),
      };
      writeLog('messages', facts, failed.size > 0);
    },
  };
  return middy<SQSEvent, SQSBatchResponse>()
    .use(observe)
    .handler((event, context) => handler(event, context));
};
