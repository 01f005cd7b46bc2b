import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lockDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import type { WorkQueue } from '../../lib/ports/ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

const WRITER = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));
const ROUNDS = 6;

/** Runs the writer, kills it at a random moment after it got going, and returns what it said. */
async function writeUntilKilled(folder: string, round: string): Promise<string[][]> {
  const writer = spawn(process.execPath, [WRITER, folder, round], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const closed = once(writer, 'close');
  const started = new Promise<void>((resolve, reject) => {
    writer.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const lines = output.split('\n');
      const of = (type: string) => lines.filter((line) => line.startsWith(`${type} `)).length;
      if (lines.length > 60 && of('object') > 1 && of('present') > 1 && of('item') > 1) resolve();
    });
    writer.once('exit', () => reject(new Error('The writer ended by itself')));
  });
  await started;
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
  writer.kill('SIGKILL');
  await closed;
  assert.equal(writer.signalCode, 'SIGKILL');
  // The last line may be cut: then it was not acknowledged.
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
}

async function drain(queue: WorkQueue): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const batch = await queue.receive({ max: 10, waitMs: 0, leaseMs: 60_000 });
    if (batch.length === 0) return bodies;
    bodies.push(...batch.map(({ body }) => body));
    await queue.acknowledge(batch.map(({ receipt }) => receipt));
  }
}

test('a process killed at any moment loses nothing that it acknowledged', async () => {
  const folder = await temporaryFolder();
  try {
    const said: string[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      said.push(...(await writeUntilKilled(folder.path, `round${round}`)));
    }
    const of = (type: string) => said.filter(([first]) => first === type);
    const data = lockDataFolder(folder.path);
    const ports = embeddedPorts(data);
    ports.releaseAll();

    assert.deepEqual(await readdir(data.tmp), [], 'what was half-written is gone');
    const listed = new Set(await ports.media.list('media/'));
    assert.ok(of('object').length > ROUNDS && of('present').length > ROUNDS);
    for (const [, key = ''] of [...of('object'), ...of('present')]) assert.ok(listed.has(key), key);
    for (const [, key = '', digest] of of('object')) {
      const bytes = await ports.media.get(key);
      assert.ok(bytes, key);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), digest, key);
    }
    for (const key of listed) {
      const path = join(data.objects, key);
      const target = await readlink(path).catch(() => undefined);
      if (target) assert.ok((await stat(path)).isFile(), `${key} has its bytes`);
      assert.ok(
        ['video/iso.segment', 'application/x-other'].includes(
          (await ports.media.head(key))?.contentType ?? '',
        ),
      );
    }

    for (let round = 0; round < ROUNDS; round += 1) {
      const items = async (half: string) =>
        (await ports.store.query(`round${round}-${half}`)).map(({ sort }) => sort);
      const [first, second] = await Promise.all([items('a'), items('b')]);
      assert.deepEqual(first, second, 'both writes of a transaction or none');
      const recorded = of('item').filter(([, name]) => name === `round${round}`).length;
      assert.ok(recorded > 0 && first.length - recorded <= 1 && first.length >= recorded);
    }

    const taken = new Set(of('done').map(([, body]) => body));
    const waiting = await drain(ports.queues.liveJobs);
    const sent = of('message').map(([, body = '']) => body);
    assert.equal(new Set(waiting).size, waiting.length, 'no message became two');
    for (const body of sent) assert.ok(taken.has(body) || waiting.includes(body), body);
    const grouped = await drain(ports.queues.publish);
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `round${round}`;
      const numbers = grouped
        .filter((body) => body.startsWith(`${name}-`))
        .map((body) => Number(body.split('-')[1]));
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => index),
        'all of a group, in order',
      );
      assert.ok(numbers.length >= of('grouped').filter(([, group]) => group === name).length);
    }
    ports.close();
    data.unlock();
  } finally {
    await folder.remove();
  }
});
