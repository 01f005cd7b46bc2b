/** The queues of a function on AWS. */

import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import type { WorkQueue, WorkQueues } from '../../lib/ports/ports.ts';
import { type QueueName, specOf } from '../../lib/ports/queues.ts';
import { noteSent } from './correlation.ts';
import { clock, config } from './ports.ts';

export function workQueues<Name extends QueueName>(
  ...names: readonly Name[]
): Pick<WorkQueues, Name> {
  const client = sqsClient(config.connection);
  const open = (name: QueueName): WorkQueue => {
    const options = { url: config.queueUrls[name], client, clock, groups: specOf(name).groups };
    return noteSent(new SqsWorkQueue(options));
  };
  return Object.fromEntries(names.map((name) => [name, open(name)])) as Record<Name, WorkQueue>;
}
