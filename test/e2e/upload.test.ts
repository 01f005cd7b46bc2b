import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ErrorBody, PresignedUpload, Receipt, StreamCreated } from '../../lib/api/messages.ts';
import { encode, ffmpeg, lavfi } from '../support/ffmpeg.ts';
import { makeSegments } from '../support/media.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

const LADDER = [{ name: '90p', shortSidePx: 90, maxrateBps: 200_000 }];

/** Whatever came: each test reads the fields of the answer that it expects. */
type Body = ErrorBody &
  Omit<Receipt, 'stored'> &
  Omit<PresignedUpload, 'stored'> & { stored: boolean };

type Answer = Readonly<{ status: number; body: Body }>;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('uploads', { concurrency: false }, () => {
  let system: TestSystem;
  let uploadKey: string;
  let ts: Buffer[];
  let init: Buffer;
  let fragments: Buffer[];
  let mp4: Buffer;
  let noParameterSets: Buffer;

  // Ended after the last test; a hook's own context ends before the first.
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });

  before(async () => {
    const context = { after: (end: () => unknown) => void ends.unshift(end) };
    system = await startTestSystem(context);
    const folder = await temporaryFolder(context);
    const source = [...lavfi('160x90', 30), '-t', '4', ...encode(30)];
    const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0'];
    await ffmpeg([...source, ...hls, join(folder, 't.m3u8')]);
    await ffmpeg([...source, ...hls, '-hls_segment_type', 'fmp4', join(folder, 'f.m3u8')]);
    await ffmpeg([...source, '-t', '1', join(folder, 'one.mp4')]);
    const read = (name: string) => readFile(join(folder, name));
    ts = await Promise.all([0, 1, 2, 3].map((number) => read(`t${number}.ts`)));
    fragments = await Promise.all([0, 1, 2, 3].map((number) => read(`f${number}.m4s`)));
    init = await read('init.mp4');
    mp4 = await read('one.mp4');
    const bare = ['-c', 'copy', '-bsf:v', 'filter_units=remove_types=7-8'];
    await ffmpeg(['-i', join(folder, 't1.ts'), ...bare, join(folder, 'bare.ts')]);
    noParameterSets = await read('bare.ts');
    uploadKey = (await create('show')).uploadKey ?? assert.fail('no upload key');
  });

  async function create(id: string, settings: object = {}): Promise<StreamCreated> {
    const body = JSON.stringify({ ladder: LADDER, targetDurationSeconds: 2, ...settings });
    const answer = await system.fetch(`/streams/${id}`, { method: 'PUT', body });
    return (await answer.json()) as StreamCreated;
  }

  async function post(
    path: string,
    body?: Uint8Array | string,
    options: { key?: string | null; method?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const answer = await system.fetch(path, {
      method: options.method ?? 'POST',
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.headers ? { headers: options.headers } : {}),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : {} };
  }

  const piece = (list: readonly Buffer[], index: number): Buffer => list[index] ?? assert.fail();

  test('are acknowledged once, with what is missing and what comes next', async () => {
    const beforeMs = Date.now();
    const first = await post('/upload/show?segment=0', piece(ts, 0), { key: uploadKey });
    const afterMs = Date.now();
    assert.equal(first.status, 201);
    const { serverTime, ...receipt } = first.body;
    assert.deepEqual(receipt, {
      stored: true,
      videoId: 'show',
      session: '~1',
      segment: 0,
      digest: digestOf(piece(ts, 0)),
      sizeBytes: piece(ts, 0).byteLength,
      durationMs: 1000,
      missing: [],
      next: 1,
    });
    const serverMs = Date.parse(serverTime);
    assert.ok(beforeMs <= serverMs && serverMs <= afterMs, 'one clock for both');
    const again = await post('/upload/show?segment=0', piece(ts, 0), { key: uploadKey });
    assert.deepEqual([again.status, { ...again.body, serverTime }], [200, first.body]);
    const ahead = await post('/upload/show', piece(ts, 3), {
      headers: { 'rivulet-segment': '3', 'rivulet-digest': `sha256:${digestOf(piece(ts, 3))}` },
    });
    assert.deepEqual([ahead.status, ahead.body.missing, ahead.body.next], [201, [1, 2], 4]);
  });

  test('that race for one number are stored once', async () => {
    await create('race');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('/upload/race?segment=0', piece(ts, 0))),
    );
    const statuses = answers.map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    await create('twins', { redundant: true });
    assert.equal((await post('/upload/twins?segment=0', piece(ts, 0))).status, 201);
    const other = await post('/upload/twins?segment=0', piece(fragments, 0));
    assert.notEqual(other.status, 409);
    const twin = await post('/upload/twins?segment=0', mp4);
    assert.deepEqual([twin.status, twin.body.digest], [200, digestOf(piece(ts, 0))]);
  });

  test('are refused with a reason and a hint, and leave no trace', async () => {
    await create('table');
    await post('/upload/table?segment=0&session=a', piece(ts, 0));
    const whole = piece(ts, 1);
    const noKeyframe = await withoutKeyframe(whole);
    const cases: [
      status: number,
      code: string,
      path: string,
      body?: Uint8Array | string | undefined,
      options?: object,
    ][] = [
      [401, 'unauthorized', '/upload/table?segment=1', whole, { key: null }],
      [403, 'forbidden', '/upload/table?segment=1', whole, { key: 'wrong' }],
      [403, 'forbidden', '/upload/table?segment=1', whole, { key: uploadKey }],
      [403, 'forbidden', '/upload/unknown?segment=1', whole, { key: 'wrong' }],
      [400, 'bad_video_id', '/upload/-bad?segment=1', whole],
      [400, 'bad_video_id', '/upload/metadata?segment=1', whole],
      [400, 'bad_video_id', `/upload/${'x'.repeat(65)}?segment=1`, whole],
      [400, 'bad_segment_number', '/upload/table', whole],
      [400, 'bad_segment_number', '/upload/table?segment=-1', whole],
      [400, 'bad_segment_number', '/upload/table?segment=1.5', whole],
      [400, 'bad_segment_number', '/upload/table?segment=99999999999999999999', whole],
      [422, 'number_too_far', '/upload/table?segment=500000&session=a', whole],
      [400, 'empty_body', '/upload/table?segment=1'],
      [415, 'unsupported_media', '/upload/table?segment=1', 'this is no segment'],
      [400, 'bad_request', '/upload/table?segment=1&kind=captions', whole],
      [415, 'unsupported_media', '/upload/table?segment=1&kind=smells', whole],
      [422, 'truncated_segment', '/upload/table?segment=1', mp4.subarray(0, mp4.length - 500)],
      [422, 'missing_init', '/upload/table?segment=1', piece(fragments, 1)],
      [422, 'no_keyframe', '/upload/table?segment=1', noKeyframe],
      [422, 'no_parameter_sets', '/upload/table?segment=1', noParameterSets],
      [400, 'digest_mismatch', `/upload/table?segment=1&digest=${'0'.repeat(64)}`, whole],
      [400, 'bad_request', '/upload/table?segment=1&digest=abc', whole],
      [400, 'size_mismatch', '/upload/table?segment=1&size=10', whole],
      [400, 'bad_request', '/upload/table?segment=1&session=%20', whole],
      [409, 'segment_conflict', '/upload/table?segment=0&session=a', whole],
      [413, 'too_large', '/upload/table?segment=1', new Uint8Array(4_800_000)],
      [413, 'too_large', '/upload/table?segment=1', new Uint8Array(11_000_000)],
      [400, 'bad_name', '/upload/table/a%00b.ts', whole, { method: 'PUT' }],
      [400, 'bad_name', '/upload/table/..%2F..%2Fx0.ts', whole, { method: 'PUT' }],
      [400, 'bad_name', '/upload/table/.hidden1.ts', whole, { method: 'PUT' }],
      [400, 'bad_request', '/upload/table/live.m3u8', 'no playlist', { method: 'PUT' }],
      [403, 'forbidden', '/upload/unknown/end', undefined, { key: 'wrong' }],
    ];
    for (const [status, code, path, body, options] of cases) {
      const answer = await post(path, body, options);
      assert.deepEqual(
        [answer.status, answer.body.code],
        [status, code],
        `${path} ${JSON.stringify(answer.body)}`,
      );
      assert.ok(answer.body.message.length > 10 && answer.body.hint.length > 10, path);
    }
    const minute = { seconds: 61, hlsTime: 61, rate: '1', size: '64x36', audio: 'none' } as const;
    const { segments } = await makeSegments(minute);
    const tooLong = await post('/upload/table?segment=1', segments[0]?.bytes);
    assert.deepEqual([tooLong.status, tooLong.body.code], [422, 'segment_too_long']);
    const next = await post('/upload/table?segment=1&session=a', whole);
    assert.deepEqual([next.status, next.body.missing, next.body.next], [201, [], 2]);
  });

  test('cut in the middle of their body are not taken', async () => {
    await create('cut');
    const { hostname, port } = new URL(system.url);
    const socket = connect(Number(port), hostname);
    const bytes = piece(ts, 0);
    socket.write(
      `POST /upload/cut?segment=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${system.ownerKey}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    await new Promise<void>((resolve) => socket.write(bytes.subarray(0, 9_400), () => resolve()));
    socket.destroy();
    const chunked = connect(Number(port), hostname);
    chunked.write(
      `PUT /upload/cut/s1.ts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${system.ownerKey}\r\nTransfer-Encoding: chunked\r\n\r\n${(9400).toString(16)}\r\n`,
    );
    await new Promise<void>((resolve) => chunked.write(bytes.subarray(0, 9_400), () => resolve()));
    chunked.destroy();
    const answer = await post('/upload/cut?segment=2', piece(ts, 2));
    assert.deepEqual([answer.status, answer.body.missing], [201, []]);
    assert.equal((await post('/upload/cut?segment=0', bytes)).status, 201);
  });

  test('take init segment and fragments apart, and self-contained files', async () => {
    await create('fragments');
    const noted = await post('/upload/fragments?segment=init', init);
    assert.equal(noted.status, 204);
    for (const [number, bytes] of fragments.entries()) {
      const answer = await post(`/upload/fragments?segment=${number}`, bytes);
      assert.deepEqual([answer.status, answer.body.durationMs], [201, 1000]);
    }
    await create('files');
    const joined = await post('/upload/files?segment=0', mp4);
    assert.equal(joined.status, 201);
    const self = Buffer.concat([init, piece(fragments, 1)]);
    assert.equal((await post('/upload/files?segment=1', self)).status, 201);
  });

  test('too large for a body go straight to the store by a presigned upload, once', async () => {
    await create('large');
    const bytes = piece(ts, 0);
    const ask = `/upload/large?segment=0&size=${bytes.length}&digest=${digestOf(bytes)}`;
    const granted = await post(ask);
    assert.equal(granted.status, 202);
    const { upload } = granted.body;
    const put = (url: string, body: Buffer): Promise<Response> =>
      fetch(url, { method: 'PUT', headers: upload.headers, body: new Uint8Array(body) });
    assert.notEqual((await put(upload.url, bytes.subarray(188))).status, 201, 'another size');
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(9000) ^ 1, 9000);
    assert.notEqual((await put(upload.url, changed)).status, 201, 'other bytes');
    const elsewhere = upload.url.replace(/granted\/./, 'granted/f');
    assert.ok((await put(elsewhere, bytes)).status >= 400, 'another key');
    assert.equal((await post(ask)).status, 202);
    assert.equal((await put(upload.url, bytes)).status, 201);
    const receipt = await waitFor('the receipt', async () => {
      const answer = await post(ask);
      return answer.status === 200 ? answer.body : undefined;
    });
    assert.deepEqual([receipt.stored, receipt.segment, receipt.digest], [true, 0, digestOf(bytes)]);
    const text = Buffer.alloc(5000, 'no media ');
    const poison = `/upload/large?segment=1&size=${text.length}&digest=${digestOf(text)}`;
    const grant = await post(poison);
    await fetch(grant.body.upload.url, {
      method: 'PUT',
      headers: grant.body.upload.headers,
      body: new Uint8Array(text),
    });
    const refused = await waitFor('the refusal', async () => {
      const answer = await post(poison);
      return answer.status === 202 ? undefined : answer;
    });
    assert.deepEqual([refused.status, refused.body.code], [415, 'unsupported_media']);
  });
});

/** The segment's packets from its middle on: pictures that refer to what is not there. */
async function withoutKeyframe(bytes: Buffer): Promise<Buffer> {
  const packets = Math.floor(bytes.length / 188);
  const tables = bytes.subarray(0, 3 * 188);
  return Buffer.concat([tables, bytes.subarray(Math.floor(packets * 0.6) * 188)]);
}
