/**
 * Functions: size of each bundle, and what a cold start takes to load it, compared with the least
 * that a function on AWS can be: middy and one client, bundled the same way.
 */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import {
  type BundledFunction,
  bundleFunctions,
} from '../../lib/infra/bundling/function-bundles.ts';
import { QUEUE_NAMES, queueVariable } from '../../lib/ports/queues.ts';
import { type Figure, quantile } from './report.ts';

const run = promisify(execFile);
const ROUNDS = 21;

const LEAST = `
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
const client = new DynamoDBClient({});
export const handler = middy().handler(() => client.send(new GetItemCommand({ TableName: 't', Key: {} })));
`;

/**
 * Tells what the import has cost until the handler is there: processor time of the thread, which is
 * all that an import waits for, and does not grow with what else the machine does.
 */
const LOAD = `
const before = process.threadCpuUsage();
const { handler } = await import(process.argv[1]);
const { user, system } = process.threadCpuUsage(before);
if (typeof handler !== 'function') throw new Error('no handler');
console.log((user + system) / 1000);
process.exit(0);
`;

const QUEUES = QUEUE_NAMES.map((name) => [
  queueVariable(name),
  `https://sqs.eu-central-1.amazonaws.com/1/${name}`,
]);

export async function measureBundles(): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-bundles-'));
  const secrets = createServer((_, response) => response.end('{"SecretString":"a key"}'));
  await new Promise<void>((resolve) => secrets.listen(0, '127.0.0.1', resolve));
  const { port } = secrets.address() as AddressInfo;
  const env = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    RIVULET_BUCKET: 'bucket',
    RIVULET_TABLE: 'table',
    RIVULET_CLUSTER: 'cluster',
    RIVULET_SERVICE: 'service',
    RIVULET_OWNER_KEY_SECRET: 'secret',
    RIVULET_SCALING: '{}',
    ...Object.fromEntries(QUEUES),
  };
  const load = async ({ folder: bundle }: BundledFunction): Promise<number> => {
    const url = pathToFileURL(join(bundle, 'index.mjs')).href;
    const args = ['--input-type=module', '--eval', LOAD, url];
    const { stdout } = await run(process.execPath, args, { env });
    return Number(stdout);
  };
  try {
    // Inside the project, where its packages are found.
    const least = fileURLToPath(new URL('../../dist/least.ts', import.meta.url));
    await mkdir(dirname(least), { recursive: true });
    await writeFile(least, LEAST);
    const [reference] = await bundleFunctions(join(folder, 'reference'), [
      { name: 'least', entry: least, lazyChunks: true },
    ]);
    await rm(least);
    const bundles = await bundleFunctions(join(folder, 'functions'));
    if (!reference) throw new Error('There is nothing to compare with.');
    const costs = new Map(bundles.map((bundle) => [bundle, [] as Cost[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [bundle, measured] of costs) {
        // Right after each other, the machine is much the same for both.
        const leastMs = await load(reference);
        const timeMs = await load(bundle);
        measured.push({ timeMs, ratio: timeMs / leastMs });
      }
    }
    const rows = [...costs].map(([bundle, measured]) => figure(bundle, measured));
    const slowest = Math.max(...rows.map(({ value }) => value));
    return [...rows, { name: 'import of a function, slowest ratio', value: slowest }];
  } finally {
    secrets.close();
    await rm(folder, { recursive: true, force: true });
  }
}

type Cost = Readonly<{ timeMs: number; ratio: number }>;

function figure({ name, startBytes, sizeBytes }: BundledFunction, costs: readonly Cost[]): Figure {
  const median = (of: keyof Cost): number =>
    quantile(
      costs.map((cost) => cost[of]),
      0.5,
    );
  const [startKb, wholeKb] = [startBytes, sizeBytes].map((bytes) => Math.round(bytes / 1000));
  const sizes = startKb === wholeKb ? `${wholeKb} KB` : `${startKb} of ${wholeKb} KB`;
  const note = `${sizes}, ${median('timeMs').toFixed(0)} ms`;
  return { name: `import of ${name}, ratio`, value: median('ratio'), note };
}
