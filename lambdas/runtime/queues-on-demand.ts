/** Queues of a function that seldom sends: SQS's client is loaded for the first message, and in no cold start. */

import type { WorkQueue, WorkQueues } from '../../lib/ports/ports.ts';
import type { QueueName } from '../../lib/ports/queues.ts';

export const queuesOnDemand = (...names: readonly QueueName[]): Partial<WorkQueues> =>
  Object.fromEntries(names.map((name) => [name, queueOnDemand(name)]));

function queueOnDemand(name: QueueName): WorkQueue {
  let loaded: Promise<WorkQueue> | undefined;
  const queue = (): Promise<WorkQueue> => {
    loaded ??= import('./work-queues.ts').then(({ workQueues }) => workQueues(name)[name]);
    return loaded;
  };
  return {
    send: async (messages) => (await queue()).send(messages),
    receive: async (options) => (await queue()).receive(options),
    extend: async (receipt, leaseMs) => (await queue()).extend(receipt, leaseMs),
    acknowledge: async (receipts) => (await queue()).acknowledge(receipts),
    release: async (receipt, delayMs) => (await queue()).release(receipt, delayMs),
    depth: async () => (await queue()).depth(),
  };
}
