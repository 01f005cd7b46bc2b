/**
 * Functions: size of each bundle, and how long a cold start takes to load it, compared with the least
 * that a function on AWS can be: middy and one client, bundled the same way.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type BundledFunction, bundleFunctions } from '../../lib/infra/function-bundles.ts';
import { type Figure, quantile } from './report.ts';

const run = promisify(execFile);
const ROUNDS = 9;

const LEAST = `
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
const client = new DynamoDBClient({});
export const handler = middy().handler(() => client.send(new GetItemCommand({ TableName: 't', Key: {} })));
`;

/** Tells the time from before the import until the handler is there. */
const LOAD = `
const startMs = performance.now();
const { handler } = await import(process.argv[1]);
const tookMs = performance.now() - startMs;
if (typeof handler !== 'function') throw new Error('no handler');
console.log(tookMs);
process.exit(0);
`;

const QUEUES = ['TRANSCODE', 'PUBLISH', 'TIMERS', 'INGEST', 'LOOKS'].map((name) => [
  `RIVULET_${name}_QUEUE`,
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
    await writeFile(least, LEAST);
    const [reference] = await bundleFunctions(join(folder, 'reference'), { least }, []);
    const [lean] = await bundleFunctions(join(folder, 'lean'), { lean: least });
    await rm(least);
    const bundles = await bundleFunctions(join(folder, 'functions'));
    if (!reference || !lean) throw new Error('There is nothing to compare with.');
    const times = new Map([reference, lean, ...bundles].map((bundle) => [bundle, [] as number[]]));
    // Round by round: what else the machine does meets all alike.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [bundle, measured] of times) measured.push(await load(bundle));
    }
    return figures(reference, times);
  } finally {
    secrets.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const REFERENCES: Readonly<Record<string, string>> = {
  least: 'middy + DynamoDB client',
  lean: 'the same without unused parts of the SDK',
};

function figures(
  reference: BundledFunction,
  times: ReadonlyMap<BundledFunction, readonly number[]>,
): Figure[] {
  const least = times.get(reference) ?? [];
  const rows = [...times].map(([{ name, sizeBytes }, measured]): Figure => {
    // Within a round the machine is much the same for all.
    const ratios = measured.map((timeMs, round) => timeMs / (least[round] ?? Number.NaN));
    const title = REFERENCES[name] ?? name;
    const note = `${(sizeBytes / 1000).toFixed(0)} KB, ${quantile(measured, 0.5).toFixed(0)} ms`;
    return { name: `import of ${title}, ratio`, value: quantile(ratios, 0.5), note };
  });
  const slowest = Math.max(...rows.map(({ value }) => value));
  return [...rows, { name: 'import of a function, slowest ratio', value: slowest }];
}
