/** Run by a test as a process of its own: writes for ever and prints what was acknowledged. */

import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';

const [folder = '', round = ''] = process.argv.slice(2);
const { media, store: records, queues } = embeddedPorts(openDataFolder(folder));

/** Written at once, so that a kill cannot take back what was printed. */
const acknowledge = (...words: readonly (string | number)[]): void => {
  writeSync(1, `${words.join(' ')}\n`);
};

async function store(): Promise<never> {
  for (let number = 0; ; number += 1) {
    const bytes = randomBytes(50_000 + Math.floor(Math.random() * 500_000));
    const key = `media/${round}/${number % 7}/${number}.m4s`;
    const type = number % 2 ? 'video/iso.segment' : 'application/x-other';
    // The other loop may have been first: then it is there, with other bytes.
    if ((await media.put(key, bytes, type)) === 'exists') acknowledge('present', key);
    else acknowledge('object', key, createHash('sha256').update(bytes).digest('hex'));
  }
}

async function record(): Promise<never> {
  for (let number = 0; ; number += 1) {
    const pair = ['a', 'b'].map((half) => ({
      type: 'put' as const,
      partition: `${round}-${half}`,
      sort: String(number).padStart(6, '0'),
      value: { number },
      expect: 0,
    }));
    if (!(await records.write(pair))) throw new Error('An item of this round was there before');
    acknowledge('item', round, number);
    await new Promise(setImmediate);
  }
}

async function send(): Promise<never> {
  for (let number = 0; ; number += 1) {
    await queues.liveJobs.send([{ body: `${round}-${number}`, group: round }]);
    acknowledge('message', `${round}-${number}`);
    await queues.publish.send([{ body: `${round}-${number}`, group: round }]);
    acknowledge('grouped', round, number);
    await new Promise(setImmediate);
  }
}

async function work(): Promise<never> {
  for (;;) {
    const jobs = await queues.liveJobs.receive({ max: 2, waitMs: 1_000, leaseMs: 600_000 });
    for (const { receipt, body } of jobs) {
      // Printed first: a message that was taken out of the queue may be missing afterwards.
      acknowledge('done', body);
      await queues.liveJobs.acknowledge([receipt]);
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

await Promise.all([store(), store2(), record(), send(), work()]);

/** Races for every second name that the other loop stores: for the second one the object must be there. */
async function store2(): Promise<never> {
  for (let number = 0; ; number += 2) {
    const key = `media/${round}/${number % 7}/${number}.m4s`;
    await media.put(key, randomBytes(80_000), 'video/iso.segment');
    acknowledge('present', key);
  }
}
