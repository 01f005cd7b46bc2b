/** What every media store must do. */

import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type MediaStore,
  MIN_PART_BYTES,
  type MultipartUpload,
  type PresignedPut,
  type WorkQueue,
} from '../../lib/ports/ports.ts';

export type MediaStoreUnderTest = Readonly<{
  media: MediaStore;
  /** Where the engine reports objects that came by a presigned upload. */
  uploadCompleted: WorkQueue;
  close(): Promise<void>;
}>;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** By another process, as the client would: with nothing but what it was given. */
const sendGranted = (grant: PresignedPut, bytes: Uint8Array, url = grant.url): Promise<Response> =>
  fetch(url, { method: grant.method, headers: grant.headers, body: Buffer.from(bytes) });

export function mediaStoreContract(name: string, make: () => Promise<MediaStoreUnderTest>): void {
  describe(`${name} as a media store`, () => {
    const folder = `media/contract-${randomUUID()}`;
    let made: MediaStoreUnderTest;
    let media: MediaStore;
    before(async () => {
      made = await make();
      media = made.media;
    });
    after(() => made.close());

    test('gives back what was put: bytes, size, content type, and any range of it', async () => {
      const bytes = randomBytes(1_250_000);
      const key = `${folder}/1080p/0-0000000001-abc_DEF.m4s`;
      assert.equal(await media.put(key, bytes, 'video/iso.segment'), 'stored');
      assert.deepEqual(await media.head(key), {
        sizeBytes: bytes.length,
        contentType: 'video/iso.segment',
      });
      assert.ok(bytes.equals((await media.get(key)) ?? Buffer.of()));
      const part = async (start: number, endInclusive: number) =>
        Buffer.from((await media.get(key, { start, endInclusive })) ?? []);
      assert.deepEqual(await part(0, 0), bytes.subarray(0, 1));
      assert.deepEqual(await part(1000, 1999), bytes.subarray(1000, 2000));
      const last = bytes.length - 1;
      assert.deepEqual(await part(last - 9, last), bytes.subarray(-10), 'up to the last byte');
      assert.deepEqual(
        await part(last - 9, last + 100),
        bytes.subarray(-10),
        'ends with the object',
      );
    });

    test('keeps a content type that the name does not tell, and an empty object', async () => {
      const key = `${folder}/types/object.bin`;
      await media.put(key, Buffer.from('x'), 'text/vtt');
      assert.equal((await media.head(key))?.contentType, 'text/vtt');
      await media.put(`${folder}/types/empty.json`, new Uint8Array(), 'application/json');
      const empty = await media.head(`${folder}/types/empty.json`);
      assert.deepEqual(empty, { sizeBytes: 0, contentType: 'application/json' });
      assert.equal((await media.get(`${folder}/types/empty.json`))?.byteLength, 0);
    });

    test('stores files that follow one another as one object, however large, and once', async () => {
      const files = await mkdtemp(join(tmpdir(), 'rivulet-files-'));
      // More than one part of a multipart upload, with a seam inside of one.
      const parts = [randomBytes(300), randomBytes(18_000_000), new Uint8Array(), randomBytes(7)];
      const paths = parts.map((_, index) => join(files, String(index)));
      await Promise.all(paths.map((path, index) => writeFile(path, parts[index] ?? '')));
      const key = `${folder}/files/movie.mp4`;
      assert.equal(await media.putFile(key, paths, 'video/mp4'), 'stored');
      const whole = Buffer.concat(parts);
      assert.deepEqual(await media.head(key), {
        sizeBytes: whole.length,
        contentType: 'video/mp4',
      });
      assert.equal(sha256((await media.get(key)) ?? Buffer.of()), sha256(whole));
      const small = paths.slice(0, 1);
      assert.equal(await media.putFile(key, small, 'video/mp4'), 'exists');
      assert.equal((await media.head(key))?.sizeBytes, whole.length, 'the first one stays');
      assert.equal(await media.putFile(`${folder}/files/a.bin`, small, 'text/vtt'), 'stored');
      assert.equal((await media.head(`${folder}/files/a.bin`))?.contentType, 'text/vtt');
      const lost = [...small, join(files, 'none')];
      await assert.rejects(media.putFile(`${folder}/files/half.mp4`, lost, 'video/mp4'));
      assert.equal(await media.head(`${folder}/files/half.mp4`), undefined, 'nothing half-made');
      await rm(files, { recursive: true });
    });

    test('says undefined of objects that are not there', async () => {
      assert.equal(await media.get(`${folder}/nothing.ts`), undefined);
      assert.equal(
        await media.get(`${folder}/nothing.ts`, { start: 0, endInclusive: 1 }),
        undefined,
      );
      assert.equal(await media.head(`${folder}/no/such/folder.ts`), undefined);
      assert.deepEqual(await media.list(`${folder}/no/such/`), []);
    });

    test('never overwrites: of twenty racing creators one stores, and its bytes stay', async () => {
      for (const [key, contentType] of [
        [`${folder}/race/known.mp4`, 'video/mp4'],
        [`${folder}/race/other.mp4`, 'application/x-other'],
      ] as const) {
        const copies = Array.from({ length: 20 }, () => randomBytes(100_000));
        const outcomes = await Promise.all(copies.map((copy) => media.put(key, copy, contentType)));
        assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 1);
        const winner = copies[outcomes.indexOf('stored')];
        assert.ok(winner);
        assert.ok(winner.equals((await media.get(key)) ?? Buffer.of()));
        assert.equal(await media.put(key, Buffer.from('later'), 'text/plain'), 'exists');
        assert.ok(winner.equals((await media.get(key)) ?? Buffer.of()));
        assert.equal((await media.head(key))?.contentType, contentType);
      }
    });

    test('lists the keys below a prefix in order, and no others', async () => {
      const names = ['b/2.ts', 'b/10.ts', 'a.ts', 'b/c/d.ts', 'Z.ts', 'b-/1.ts', 'b.ts'];
      for (const key of names)
        await media.put(`${folder}/list/${key}`, Buffer.from(key), 'video/mp2t');
      await media.put(`${folder}/list-2/a.ts`, Buffer.from('x'), 'video/mp2t');
      assert.deepEqual(
        await media.list(`${folder}/list/`),
        names.map((key) => `${folder}/list/${key}`).sort(),
      );
      assert.deepEqual(
        await media.list(`${folder}/list/b/`),
        ['b/10.ts', 'b/2.ts', 'b/c/d.ts'].map((key) => `${folder}/list/${key}`),
      );
    });

    test('lists so many keys between two others, without these', async () => {
      const keys = ['1-05-a', '1-07-a', '1-07-b', '1-09-a', '2-01-a'].map(
        (name) => `${folder}/between/${name}.ts`,
      );
      for (const key of keys) await media.put(key, Buffer.from(key), 'video/mp2t');
      const list = (after: string, before: string, limit: number) =>
        media.list(`${folder}/between/`, {
          ...{ after: `${folder}/between/${after}`, before: `${folder}/between/${before}`, limit },
        });
      assert.deepEqual(await list('1-06', '1-09', 10), keys.slice(1, 3));
      assert.deepEqual(
        await list('1-05-a.ts', '1-~', 10),
        keys.slice(1, 4),
        'the first is left out',
      );
      assert.deepEqual(await list('1-05', '1-09-a.ts', 10), keys.slice(0, 3), 'and so is the last');
      assert.deepEqual(await list('1-05', '3', 2), keys.slice(0, 2));
      assert.deepEqual(await list('3', '4', 10), []);
    });

    test('deletes many at once, takes absent ones for deleted, and the names are free', async () => {
      const keys = Array.from(
        { length: 40 },
        (_, index) => `${folder}/gone/${index % 3}/${index}.ts`,
      );
      for (const key of keys) await media.put(key, Buffer.from(key), 'video/mp2t');
      await media.delete([...keys.slice(0, 39), `${folder}/gone/never.ts`]);
      assert.deepEqual(await media.list(`${folder}/gone/`), keys.slice(39));
      assert.equal(await media.get(`${folder}/gone/0/0.ts`), undefined);
      assert.equal(
        await media.put(`${folder}/gone/0/0.ts`, Buffer.from('new'), 'video/mp2t'),
        'stored',
      );
    });

    describe('presigned uploads', () => {
      const bytes = randomBytes(5_000_000);
      const contentType = 'application/octet-stream';
      const grantFor = (key: string, digest?: string, lifetimeMs = 60_000): Promise<PresignedPut> =>
        media.presignPut(key, {
          sizeBytes: bytes.length,
          contentType,
          expiresAtMs: Date.now() + lifetimeMs,
          ...(digest !== undefined && { digest }),
        });
      const reported = async (): Promise<string[]> => {
        const deliveries = await made.uploadCompleted.receive({
          max: 10,
          waitMs: 5_000,
          leaseMs: 10_000,
        });
        await made.uploadCompleted.acknowledge(deliveries.map(({ receipt }) => receipt));
        return deliveries.map(({ body }) => JSON.parse(body).key);
      };

      test('let a client store these bytes, which are reported on the queue of completed uploads', async () => {
        const key = `${folder}/granted/whole.bin`;
        const grant = await grantFor(key, sha256(bytes));
        const answer = await sendGranted(grant, bytes);
        assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
        assert.ok(bytes.equals((await media.get(key)) ?? Buffer.of()));
        assert.deepEqual(await media.head(key), { sizeBytes: bytes.length, contentType });
        assert.ok((await reported()).includes(key));
        await sendGranted(grant, bytes);
        assert.equal((await media.head(key))?.sizeBytes, bytes.length, 'a repetition is harmless');
      });

      test('are for these bytes: others are refused and nothing is stored', async () => {
        const key = `${folder}/granted/refused.bin`;
        const grant = await grantFor(key, sha256(bytes));
        const sameSize = Buffer.from(bytes);
        sameSize[0] = 255 - (sameSize[0] ?? 0);
        const attempts: readonly (readonly [string, Uint8Array])[] = [
          ['other bytes', sameSize],
          ['too few', bytes.subarray(1)],
          ['too many', Buffer.concat([bytes, Buffer.of(0)])],
        ];
        for (const [what, body] of attempts) {
          const answer = await sendGranted(grant, body);
          assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`);
          assert.equal(await media.head(key), undefined, what);
        }
      });

      test('are for this key and this time', async () => {
        const key = `${folder}/granted/mine.bin`;
        const grant = await grantFor(key);
        const elsewhere = grant.url.replace('mine.bin', 'yours.bin');
        assert.equal((await sendGranted(grant, bytes, elsewhere)).status, 403);
        const late = await grantFor(key, undefined, 1_000);
        while (Date.now() <= late.expiresAtMs + 1_000) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        assert.equal((await sendGranted(late, bytes)).status, 403);
        assert.deepEqual(
          await Promise.all([key, `${folder}/granted/yours.bin`].map((each) => media.head(each))),
          [undefined, undefined],
        );
        assert.ok((await sendGranted(grant, bytes)).ok, 'the unchanged one still holds');
      });
    });

    describe('uploads in parts', () => {
      const bytes = randomBytes(2 * MIN_PART_BYTES + 1_000_000);
      const contentType = 'application/octet-stream';
      const begin = async (name: string): Promise<MultipartUpload> => {
        const terms = {
          ...{ key: `${folder}/parts/${name}`, sizeBytes: bytes.length },
          partBytes: MIN_PART_BYTES,
        };
        return { ...terms, id: await media.multipart.begin({ ...terms, contentType }) };
      };
      const partOf = (part: number): Uint8Array =>
        bytes.subarray((part - 1) * MIN_PART_BYTES, part * MIN_PART_BYTES);
      const sendPart = async (upload: MultipartUpload, part: number, body = partOf(part)) =>
        sendGranted(await media.multipart.presignPart(upload, part, Date.now() + 60_000), body);

      test('become one object when all parts are there, sent in any order and again', async () => {
        const upload = await begin('whole.mp4');
        assert.deepEqual(await media.multipart.list(upload), []);
        for (const part of [3, 1, 1]) assert.ok((await sendPart(upload, part)).ok);
        assert.deepEqual(await media.multipart.list(upload), [1, 3]);
        assert.equal(await media.multipart.complete(upload), false, 'a part is missing');
        assert.equal(await media.head(upload.key), undefined, 'nothing half-made is seen');
        assert.ok((await sendPart(upload, 2)).ok);
        assert.equal(await media.multipart.complete(upload), true);
        assert.ok(bytes.equals((await media.get(upload.key)) ?? Buffer.of()));
        assert.deepEqual(await media.head(upload.key), { sizeBytes: bytes.length, contentType });
        assert.equal(await media.multipart.complete(upload), true, 'once more');
        assert.equal(await media.multipart.list(upload), undefined);
      });

      test('take of each part exactly the bytes that were announced, at its place alone', async () => {
        const upload = await begin('refused.mp4');
        const short = await sendPart(upload, 1, partOf(1).subarray(1));
        assert.ok(short.status >= 400 && short.status < 500, `${short.status}`);
        const granted = await media.multipart.presignPart(upload, 2, Date.now() + 60_000);
        for (const url of [
          granted.url.replace('refused.mp4', 'other.mp4'),
          granted.url.replace(/(part(?:number)?=)2/i, '$11'),
        ]) {
          assert.equal((await sendGranted(granted, partOf(2), url)).status, 403);
        }
        assert.deepEqual(await media.multipart.list(upload), []);
      });

      test('that are aborted leave nothing, and take no further part', async () => {
        const upload = await begin('aborted.mp4');
        await sendPart(upload, 1);
        const late = await media.multipart.presignPart(upload, 2, Date.now() + 60_000);
        await media.multipart.abort(upload);
        await media.multipart.abort(upload);
        assert.equal((await sendGranted(late, partOf(2))).status, 404);
        assert.equal(await media.multipart.list(upload), undefined);
        assert.equal(await media.multipart.complete(upload), false);
      });
    });
  });
}
