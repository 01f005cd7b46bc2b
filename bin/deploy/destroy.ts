/**
 * `npm run destroy -- [-c stage=NAME] [--with-media]`: removes a stage's stacks. Media, records and
 * logs stay unless `--with-media` removes them as well.
 */

import { spawnSync } from 'node:child_process';
import { DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { UsageError } from '../../lib/base/command-line.ts';
import { STACK_PARTS, stackName } from '../../lib/infra/stage-names.ts';
import { type DestroyCommand, destroyCommand } from './cdk-options.ts';
import { CDK, deployments, forget } from './deployments.ts';

const { stage, withMedia, cdkArgs } = commandOrExit();
const stacks = STACK_PARTS.map((part) => stackName(stage, part));
const kept = stacks.flatMap((stack) => Object.entries(deployments()[stack] ?? {}));
const buckets = kept.filter(([name]) => name.endsWith('BucketName')).map(([, value]) => value);
const tables = kept.filter(([name]) => name === 'TableName').map(([, value]) => value);

if (withMedia && buckets.length === 0) {
  console.error(
    `Stage ${stage} was not deployed from this clone. Run "npm run deploy" with the same options first: it changes nothing and records what is deployed.`,
  );
  process.exit(1);
}
const { status } = spawnSync(process.execPath, [CDK, 'destroy', ...cdkArgs], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
if (withMedia) {
  const s3 = new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });
  for (const bucket of buckets) await removeBucket(s3, bucket);
  const dynamo = new DynamoDBClient({});
  for (const table of tables) await dynamo.send(new DeleteTableCommand({ TableName: table }));
  forget(stacks);
} else if (kept.length > 0) {
  console.log(`Kept, and still billed: ${[...buckets, ...tables].join(', ')}`);
}

function commandOrExit(): DestroyCommand {
  try {
    return destroyCommand(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

async function removeBucket(s3: S3Client, bucket: string): Promise<void> {
  for (;;) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
    if (Objects.length === 0) break;
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await s3.send(command);
    if (Errors[0]) throw new Error(`${bucket}/${Errors[0].Key}: ${Errors[0].Message}`);
  }
  await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
}
