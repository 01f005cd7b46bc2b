import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts, systemClock } from '../../lib/embedded/embedded-ports.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { presignedPutServer } from '../../lib/embedded/presigned-put-server.ts';
import { openQueueDatabase } from '../../lib/embedded/queue-database.ts';
import { QueueNotifier } from '../../lib/embedded/queue-notifier.ts';
import { deadLetterName, SqliteWorkQueue } from '../../lib/embedded/sqlite-work-queue.ts';
import { cachePuts } from '../../lib/pipeline/jobs/put-cache.ts';
import { jobKindContract } from '../contracts/job-kind.ts';
import { type MediaStoreUnderTest, mediaStoreContract } from '../contracts/media-store.ts';
import { recordStoreContract } from '../contracts/record-store.ts';
import { retentionContract } from '../contracts/retention.ts';
import { workQueueContract } from '../contracts/work-queue.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function fileMediaStore(): Promise<MediaStoreUnderTest> {
  const folder = await temporaryFolder();
  const data = openDataFolder(folder.path);
  let origin = '';
  const ports = embeddedPorts(data, { origin: () => origin });
  const gateway = new Gateway({
    routes: [],
    mounts: [
      presignedPutServer({
        store: ports.media,
        signingKey: data.secrets.presignSigningKey,
        uploadCompleted: ports.queues.uploadCompleted,
        clock: ports.clock,
      }),
    ],
    report: (error) => {
      throw error;
    },
  });
  const { port } = await gateway.listen(0, '127.0.0.1');
  origin = `http://127.0.0.1:${port}`;
  return {
    media: ports.media,
    uploadCompleted: ports.queues.uploadCompleted,
    close: async () => {
      await gateway.close(1_000);
      ports.close();
      await folder.remove();
    },
  };
}

mediaStoreContract('the file media store', fileMediaStore);

mediaStoreContract('a media store that caches its puts', async () => {
  const made = await fileMediaStore();
  return { ...made, media: cachePuts(made.media) };
});

recordStoreContract('the SQLite record store', async () => {
  const folder = await temporaryFolder();
  const ports = embeddedPorts(openDataFolder(folder.path));
  return {
    store: ports.store,
    close: async () => {
      ports.close();
      await folder.remove();
    },
  };
});

/** Longer than a test lasts: only a notification wakes a receiver. */
const NO_POLLS = { fallbackPollMs: 3_600_000 };

workQueueContract('the SQLite work queue', async ({ groups, maxDeliveries }) => {
  const folder = await temporaryFolder();
  const data = openDataFolder(folder.path);
  const open = (owner: string) => {
    const database = openQueueDatabase(data.queuesFile);
    const notifier = new QueueNotifier(data.notifications);
    const common = { database, notifier, clock: systemClock, owner, groups, ...NO_POLLS };
    const dead = deadLetterName('jobs');
    return {
      queue: new SqliteWorkQueue({ ...common, name: 'jobs', maxDeliveries, deadLetters: dead }),
      deadLetters: new SqliteWorkQueue({ ...common, name: dead }),
      close: () => {
        notifier.close();
        database.close();
      },
    };
  };
  const [one, other] = [open('one'), open('other')];
  return {
    queue: one.queue,
    deadLetters: one.deadLetters,
    peer: other.queue,
    close: async () => {
      one.close();
      other.close();
      await folder.remove();
    },
  };
});

jobKindContract('the embedded engine', async () => {
  const folder = await temporaryFolder();
  const ports = embeddedPorts(openDataFolder(folder.path));
  return {
    ports,
    deadLetters: ports.deadLetters.jobs,
    close: async () => {
      ports.close();
      await folder.remove();
    },
  };
});

retentionContract('the embedded engine', async (clock) => {
  const folder = await temporaryFolder();
  const ports = embeddedPorts(openDataFolder(folder.path), { clock });
  return {
    ports,
    close: async () => {
      ports.close();
      await folder.remove();
    },
  };
});
