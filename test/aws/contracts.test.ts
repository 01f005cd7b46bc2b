import { awsPorts } from '../../lib/aws/aws-ports.ts';
import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { uploadCompletedQueue } from '../../lib/aws/upload-completed-queue.ts';
import { QUEUES } from '../../lib/ports/queues.ts';
import { jobKindContract } from '../contracts/job-kind.ts';
import { mediaStoreContract } from '../contracts/media-store.ts';
import { recordStoreContract } from '../contracts/record-store.ts';
import { retentionContract } from '../contracts/retention.ts';
import { workQueueContract } from '../contracts/work-queue.ts';
import { withMiniStack } from './ministack.ts';
import { makeAllQueues, makeBucket, makeQueue, makeTable } from './resources.ts';

const clock = { now: () => Date.now() };

await withMiniStack(({ connection }) => {
  mediaStoreContract('the S3 media store', async () => {
    const client = sqsClient(connection);
    const { url } = await makeQueue(connection, { maxDeliveries: 5 });
    const bucket = await makeBucket(connection, url);
    const media = new S3MediaStore(connection, { bucket, clock });
    return {
      media,
      uploadCompleted: uploadCompletedQueue(new SqsWorkQueue({ url, client, clock })),
      close: async () => {
        media.close();
        client.destroy();
      },
    };
  });

  recordStoreContract('the DynamoDB record store', async () => {
    const store = new DynamoRecordStore(connection, await makeTable(connection));
    return { store, close: async () => store.close() };
  });

  workQueueContract('the SQS work queue', async ({ groups, maxDeliveries }) => {
    const { url, deadLetterUrl } = await makeQueue(connection, { groups, maxDeliveries });
    const clients = [sqsClient(connection), sqsClient(connection)] as const;
    const open = (at: string, client = clients[0]) =>
      new SqsWorkQueue({ url: at, client, clock, groups });
    return {
      queue: open(url),
      deadLetters: open(deadLetterUrl),
      peer: open(url, clients[1]),
      close: async () => {
        for (const client of clients) client.destroy();
      },
    };
  });

  jobKindContract('the engine on AWS', async () => {
    const { urls, deadLetterUrls } = await makeAllQueues(connection);
    const ports = awsPorts({
      connection,
      bucket: await makeBucket(connection, urls.uploadCompleted),
      table: await makeTable(connection),
      queueUrls: urls,
    });
    const client = sqsClient(connection);
    const { groups } = QUEUES.liveJobs;
    return {
      ports,
      deadLetters: new SqsWorkQueue({ url: deadLetterUrls.jobs, client, clock, groups }),
      close: async () => {
        ports.close();
        client.destroy();
      },
    };
  });

  retentionContract('AWS', async (testClock) => {
    const { urls } = await makeAllQueues(connection);
    const bucket = await makeBucket(connection, urls.uploadCompleted);
    const table = await makeTable(connection);
    const ports = awsPorts({ connection, bucket, table, queueUrls: urls }, testClock);
    return { ports, close: async () => ports.close() };
  });
});
