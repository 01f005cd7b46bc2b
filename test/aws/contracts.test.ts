import { DynamoRecordStore } from '../../lib/aws/dynamo-record-store.ts';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import { SqsWorkQueue, sqsClient } from '../../lib/aws/sqs-work-queue.ts';
import { uploadCompletedQueue } from '../../lib/aws/upload-completed-queue.ts';
import { mediaStoreContract } from '../contracts/media-store.ts';
import { recordStoreContract } from '../contracts/record-store.ts';
import { workQueueContract } from '../contracts/work-queue.ts';
import { withMiniStack } from './ministack.ts';
import { makeBucket, makeQueue, makeTable } from './resources.ts';

const clock = { now: () => Date.now() };

await withMiniStack(({ connection }) => {
  mediaStoreContract('the S3 media store', async () => {
    const client = sqsClient(connection);
    const { url } = await makeQueue(connection, { grouped: false, maxDeliveries: 5 });
    const bucket = await makeBucket(connection, url);
    const media = new S3MediaStore(connection, { bucket, clock });
    return {
      media,
      ingest: uploadCompletedQueue(new SqsWorkQueue({ url, client, clock })),
      close: async () => {
        media.close();
        client.destroy();
      },
    };
  });

  recordStoreContract('the DynamoDB stream store', async () => {
    const store = new DynamoRecordStore(connection, await makeTable(connection));
    return { store, close: async () => store.close() };
  });

  workQueueContract('the SQS work queue', async ({ grouped, maxDeliveries }) => {
    const { url, deadLetterUrl } = await makeQueue(connection, { grouped, maxDeliveries });
    const clients = [sqsClient(connection), sqsClient(connection)] as const;
    const open = (at: string, client = clients[0]) =>
      new SqsWorkQueue({ url: at, client, clock, grouped });
    return {
      queue: open(url),
      deadLetters: open(deadLetterUrl),
      peer: open(url, clients[1]),
      close: async () => {
        for (const client of clients) client.destroy();
      },
    };
  });
});
