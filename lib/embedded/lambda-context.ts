/** The context argument of a handler, and the timeout that a function has. */

import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';

export class HandlerTimeout extends Error {
  constructor(functionName: string, timeoutMs: number) {
    super(`${functionName} did not answer within ${timeoutMs} ms`);
    this.name = 'HandlerTimeout';
  }
}

/** Any Lambda handler; its result is checked before use. */
export type AnyHandler<Event> = (event: Event, context: Context) => unknown;

/** Calls a handler; rejects with `HandlerTimeout` when its time is over. */
export async function invoke<Event>(
  functionName: string,
  handler: AnyHandler<Event>,
  event: Event,
  timeoutMs: number,
): Promise<unknown> {
  const endsAtMs = performance.now() + timeoutMs;
  const context = lambdaContext(functionName, () => Math.max(0, endsAtMs - performance.now()));
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new HandlerTimeout(functionName, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([(async () => handler(event, context))(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

const lambdaContext = (functionName: string, remainingMs: () => number): Context => ({
  functionName,
  functionVersion: '$LATEST',
  invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
  memoryLimitInMB: '1024',
  awsRequestId: randomUUID(),
  logGroupName: `/aws/lambda/${functionName}`,
  logStreamName: 'local',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.floor(remainingMs()),
  // Node 24 runtimes have no such callbacks any more, but the type still asks for them.
  done: () => {},
  fail: () => {},
  succeed: () => {},
});
