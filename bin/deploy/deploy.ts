/**
 * `npm run deploy -- [-c OPTION=VALUE …] [STACK …]`: deploys with the CDK's CLI, which asks before it
 * widens permissions, and uploads the pages to their bucket. A second run changes nothing.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { contentTypeOf } from '../../lib/embedded/content-type.ts';
import { buildPages } from '../../web/build.ts';
import { deployArguments, deployHint } from './cdk-options.ts';
import { CDK, type Deployments, keepOutputs, OUTPUTS_FILE, outputOf } from './deployments.ts';

const cdkArgs = deployArguments(process.argv.slice(2));
const cdk = spawn(process.execPath, [CDK, 'deploy', '--outputs-file', OUTPUTS_FILE, ...cdkArgs], {
  stdio: ['inherit', 'inherit', 'pipe'],
});
let messages = '';
cdk.stderr.setEncoding('utf8').on('data', (text: string) => {
  process.stderr.write(text);
  messages += text;
});
const [status] = await once(cdk, 'close');
if (status !== 0) {
  const hint = deployHint(messages);
  if (hint !== undefined) console.error(hint);
  process.exit(status ?? 1);
}
const outputs = keepOutputs();
const pages = outputOf(outputs, 'PagesBucketName');
if (pages !== undefined) await putPages(pages);
console.log(greeting(outputs));

/** Assets are named by their content; `index.html`, which refers to them, comes last. */
async function putPages(bucket: string): Promise<void> {
  const folder = fileURLToPath(new URL('../../dist/pages', import.meta.url));
  const client = new S3Client({ forcePathStyle: process.env.AWS_ENDPOINT_URL !== undefined });
  const files = (await buildPages(folder)).map(({ path }) => path);
  const assets = files.filter((path) => path !== 'index.html');
  for (const path of [...assets, 'index.html']) {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: path.split(sep).join(posix.sep),
      Body: await readFile(join(folder, path)),
      ContentType: contentTypeOf(path),
      CacheControl:
        path === 'index.html' ? 'public, max-age=60' : 'public, max-age=31536000, immutable',
    });
    await client.send(command);
  }
  client.destroy();
}

function greeting(deployed: Deployments): string {
  const api = outputOf(deployed, 'ApiUrl');
  const cdn = outputOf(deployed, 'CdnUrl');
  const secret = outputOf(deployed, 'OwnerKeySecret');
  if (api === undefined || secret === undefined) return cdn === undefined ? '' : `Watch  ${cdn}/`;
  return `${cdn === undefined ? '' : `\nWatch      ${cdn}/`}
Upload to  ${api}/upload/STREAM
Owner key  KEY=$(aws secretsmanager get-secret-value --query SecretString --output text --secret-id ${secret})

Push a stream with plain ffmpeg (segments of up to 4.5 MB; the encoder client has no limit):

  ffmpeg -re -i INPUT -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -c:a aac \\
    -f hls -hls_time 2 -method PUT -http_persistent 1 \\
    -headers "Authorization: Bearer $KEY" ${api}/upload/my-stream/live.m3u8

  RIVULET_KEY=$KEY npm run encoder -- INPUT --to ${api} --stream my-stream`;
}
