import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { S3MediaStore } from '../../lib/aws/s3-media-store.ts';
import type { PresignedPut } from '../../lib/ports/ports.ts';
import { withMiniStack } from './ministack.ts';
import { makeBucket, makeQueue } from './resources.ts';

const bytes = randomBytes(10_000);
const digest = createHash('sha256').update(bytes).digest('hex');
const terms = (expiresAtMs = Date.now() + 60_000) => ({
  sizeBytes: bytes.length,
  contentType: 'application/octet-stream',
  expiresAtMs,
});
const send = async (grant: PresignedPut, body: Uint8Array, headers = grant.headers) =>
  (await fetch(grant.url, { method: 'PUT', headers, body: Buffer.from(body) })).status;
const signed = (grant: PresignedPut) => new URL(grant.url).searchParams;
const checksums = (grant: PresignedPut) =>
  [...signed(grant).keys()].filter((name) => /checksum/i.test(name));
const without = (grant: PresignedPut, name: string) =>
  Object.fromEntries(Object.entries(grant.headers).filter(([header]) => header !== name));

await withMiniStack(async ({ connection }) => {
  const { url } = await makeQueue(connection, { maxDeliveries: 5 });
  const bucket = await makeBucket(connection, url);
  const clock = { now: () => Date.now() };
  const media = new S3MediaStore(connection, { bucket, clock });

  test('a grant with a digest signs size, type and digest, and no checksum of an empty body', async () => {
    const grant = await media.presignPut('with/digest.bin', { ...terms(), digest });
    assert.equal(
      signed(grant).get('X-Amz-SignedHeaders'),
      'content-length;content-type;host;x-amz-checksum-sha256',
    );
    assert.deepEqual(checksums(grant), []);
    assert.equal(await send(grant, bytes, without(grant, 'x-amz-checksum-sha256')), 403);
    assert.equal(await send(grant, bytes, { ...grant.headers, 'content-type': 'text/html' }), 403);
    assert.equal(await media.head('with/digest.bin'), undefined);
    assert.equal(await send(grant, bytes), 200);
    assert.equal(await send(grant, bytes), 200, 'the same bytes again are reported again');
  });

  test('a grant without a digest is for one object of that size, which nobody replaces', async () => {
    const grant = await media.presignPut('without/digest.bin', terms());
    assert.equal(
      signed(grant).get('X-Amz-SignedHeaders'),
      'content-length;content-type;host;if-none-match',
    );
    assert.deepEqual(checksums(grant), []);
    assert.equal(await send(grant, bytes.subarray(1)), 403);
    assert.equal(await send(grant, bytes, without(grant, 'if-none-match')), 403);
    assert.equal(await send(grant, bytes), 200);
    assert.equal(await send(grant, randomBytes(bytes.length)), 412);
    assert.ok(bytes.equals((await media.get('without/digest.bin')) ?? Buffer.of()));
  });

  test('a grant ends when it says, not a second later', async () => {
    const expiresAtMs = Date.now() + 90_500;
    const query = signed(await media.presignPut('for/a/time.bin', terms(expiresAtMs)));
    const [, ...parts] =
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '') ?? [];
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
    const signedAtMs = Date.UTC(year, month - 1, day, hour, minute, second);
    const endsAtMs = signedAtMs + Number(query.get('X-Amz-Expires')) * 1000;
    assert.ok(endsAtMs <= expiresAtMs && endsAtMs > expiresAtMs - 1_000);
  });

  test('a range beyond the end is empty, and a bucket that is not there is no missing object', async () => {
    await media.put('short.bin', Buffer.from('12345'), 'video/mp2t');
    assert.equal((await media.get('short.bin', { start: 5, endInclusive: 9 }))?.byteLength, 0);
    const nowhere = new S3MediaStore(connection, { bucket: 'no-such-bucket', clock });
    await assert.rejects(nowhere.get('a.bin'), { name: 'NoSuchBucket' });
    await assert.rejects(nowhere.put('a.bin', bytes, 'video/mp2t'), { name: 'NoSuchBucket' });
    nowhere.close();
  });

  test('more keys than a page holds are listed and deleted', { timeout: 120_000 }, async () => {
    const keys = Array.from({ length: 1_005 }, (_, key) => `many/${String(key).padStart(4, '0')}`);
    const left = [...keys];
    const putAll = async () => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) {
        await media.put(key, Buffer.from('x'), 'video/mp2t');
      }
    };
    await Promise.all(Array.from({ length: 8 }, putAll));
    assert.deepEqual(await media.list('many/'), keys);
    await media.delete(keys);
    assert.deepEqual(await media.list('many/'), []);
    media.close();
  });
});
