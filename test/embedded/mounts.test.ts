import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { type EmbeddedPorts, embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { Gateway } from '../../lib/embedded/gateway.ts';
import { presignedPutServer } from '../../lib/embedded/presigned-put-server.ts';
import { mediaFiles, webPages } from '../../lib/embedded/static-files.ts';
import { waitFor } from '../support/system.ts';
import { send } from './http-client.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('the gateway, without a handler, serves', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let ports: EmbeddedPorts;
  let gateway: Gateway;
  let origin: string;
  let tmp: string;
  const reported: unknown[] = [];
  const bytes = randomBytes(3_000_000);

  before(async () => {
    folder = await temporaryFolder();
    const data = openDataFolder(join(folder.path, 'data'));
    tmp = data.tmp;
    ports = embeddedPorts(data);
    const pages = join(folder.path, 'pages');
    await mkdir(join(pages, 'watch'), { recursive: true });
    await writeFile(join(pages, 'index.html'), '<h1>home</h1>');
    await writeFile(join(pages, 'watch/index.html'), '<h1>watch</h1>');
    await writeFile(join(pages, 'watch-ABCD2345.js'), 'let a;');
    await writeFile(join(pages, 'style.css'), 'a {}');
    await writeFile(join(pages, '.secret'), 'x');
    await writeFile(join(folder.path, 'outside.html'), 'x');
    gateway = new Gateway({
      routes: [
        {
          method: 'POST',
          path: '/upload/{videoId}',
          handler: (event) =>
            ports.media.presignPut(`source/${event.pathParameters?.videoId}/granted/1.bin`, {
              sizeBytes: bytes.length,
              contentType: 'application/octet-stream',
              digest: createHash('sha256').update(bytes).digest('hex'),
              expiresAtMs: Date.now() + 60_000,
            }),
        },
      ],
      mounts: [
        webPages(pages, "default-src 'self'"),
        mediaFiles(ports.media),
        presignedPutServer({
          store: ports.media,
          signingKey: data.secrets.presignSigningKey,
          uploadCompleted: ports.queues.uploadCompleted,
          clock: ports.clock,
        }),
      ],
      report: (error) => reported.push(error),
    });
    origin = `http://127.0.0.1:${(await gateway.listen(0, '127.0.0.1')).port}`;
    await ports.media.put('media/show/1.m4s', bytes, 'video/iso.segment');
    await ports.media.put('media/show/empty.vtt', Buffer.of(), 'text/vtt');
    await ports.media.put('source/show/1.ts', bytes, 'video/mp2t');
  });
  after(async () => {
    await gateway.close(1_000);
    ports.close();
    await folder.remove();
    assert.deepEqual(reported, []);
  });

  test('files that viewers save under their names, and other media without one', async () => {
    await ports.media.put('media/show/u1/saved/abc/show-1m-2m.mp4', bytes, 'video/mp4');
    const saved = await send(`${origin}/media/show/u1/saved/abc/show-1m-2m.mp4`);
    assert.equal(saved.headers['content-disposition'], 'attachment; filename="show-1m-2m.mp4"');
    const shown = await send(`${origin}/media/show/1.m4s`);
    assert.equal(shown.headers['content-disposition'], undefined);
  });

  test('media whole, in ranges and conditionally, to be cached for ever', async () => {
    const url = `${origin}/media/show/1.m4s`;
    const whole = await send(url);
    assert.equal(whole.status, 200);
    assert.ok(whole.body.equals(bytes));
    assert.equal(whole.headers['content-type'], 'video/iso.segment');
    assert.equal(whole.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(whole.headers['access-control-allow-origin'], '*');
    const etag = whole.headers.etag ?? '';
    assert.match(etag, /^"[\w-]+"$/);

    const head = await send(url, { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.headers.etag, head.body.length],
      [200, String(bytes.length), etag, 0],
    );

    const size = bytes.length;
    const ranges: readonly (readonly [string, number, number, number])[] = [
      ['bytes=0-0', 206, 0, 0],
      ['bytes=1000-1999', 206, 1000, 1999],
      ['bytes=2999990-', 206, 2_999_990, size - 1],
      ['bytes=-500', 206, size - 500, size - 1],
      ['bytes=-99999999', 206, 0, size - 1],
      ['bytes=100-99999999', 206, 100, size - 1],
      ['bytes=0-1,5-6', 200, 0, size - 1],
      ['bytes=9-3', 200, 0, size - 1],
      ['lines=1-2', 200, 0, size - 1],
    ];
    for (const [range, status, start, end] of ranges) {
      const answer = await send(url, { headers: { range } });
      assert.equal(answer.status, status, range);
      assert.ok(answer.body.equals(bytes.subarray(start, end + 1)), range);
      const contentRange = status === 206 ? `bytes ${start}-${end}/${size}` : undefined;
      assert.equal(answer.headers['content-range'], contentRange);
    }
    for (const range of [`bytes=${size}-`, 'bytes=-0']) {
      const answer = await send(url, { headers: { range } });
      assert.deepEqual([answer.status, answer.headers['content-range']], [416, `bytes */${size}`]);
    }
    const notModified = await send(url, { headers: { 'if-none-match': `"x", W/${etag}` } });
    assert.deepEqual([notModified.status, notModified.body.length], [304, 0]);
    const changed = await send(url, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } });
    assert.equal(changed.status, 200);
    const same = await send(url, { headers: { range: 'bytes=0-1', 'if-range': etag } });
    assert.equal(same.status, 206);
    const empty = await send(`${origin}/media/show/empty.vtt`);
    assert.deepEqual([empty.status, empty.headers['content-length']], [200, '0']);
  });

  test('a short-lived 404 for missing media, and no other object of the store', async () => {
    const missing = await send(`${origin}/media/show/2.m4s`);
    assert.equal(missing.status, 404);
    assert.equal(missing.headers['cache-control'], 'public, max-age=1');
    assert.equal(JSON.parse(missing.body.toString()).code, 'not_found');
    for (const path of [
      '/media/show',
      '/media/',
      '/media/../source/show/1.ts',
      '/media/%2e%2e/source/show/1.ts',
      '/source/show/1.ts',
      '/media/show/1.m4s/x',
      `/media/${'x'.repeat(3000)}`,
    ]) {
      assert.equal((await send(origin + path)).status, 404, path);
    }
    const refused = await send(`${origin}/media/show/1.m4s`, { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD']);
  });

  test('media on when a viewer leaves in the middle', async () => {
    const { port } = new URL(origin);
    for (let viewer = 0; viewer < 5; viewer += 1) {
      const socket = connect(Number(port), '127.0.0.1');
      socket.write('GET /media/show/1.m4s HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(socket, 'readable');
      socket.destroy();
    }
    assert.equal((await send(`${origin}/media/show/1.m4s`)).status, 200);
    assert.deepEqual(reported, []);
  });

  test('pages with a policy, fresh unless their name has a hash, and no file beside them', async () => {
    const home = await send(`${origin}/`);
    assert.deepEqual([home.status, home.body.toString()], [200, '<h1>home</h1>']);
    assert.equal(home.headers['content-type'], 'text/html; charset=utf-8');
    assert.equal(home.headers['cache-control'], 'no-cache');
    assert.equal(
      home.headers['content-security-policy'],
      "default-src 'self'; frame-ancestors 'self'",
    );
    const again = await send(`${origin}/`, {
      headers: { 'if-none-match': home.headers.etag ?? '' },
    });
    assert.equal(again.status, 304);
    const watch = await send(`${origin}/watch`);
    assert.deepEqual([watch.status, watch.headers.location], [308, '/watch/']);
    assert.equal((await send(`${origin}/watch/`)).body.toString(), '<h1>watch</h1>');
    const script = await send(`${origin}/watch-ABCD2345.js`);
    assert.match(script.headers['cache-control'] ?? '', /immutable/);
    assert.equal((await send(`${origin}/style.css`)).headers['cache-control'], 'no-cache');
    for (const path of [
      '/.secret',
      '/../outside.html',
      '/%2e%2e/outside.html',
      '/..%2foutside.html',
      '/x',
      '//',
      '/watch%00',
      '/watch-ABCD2345.js/x',
    ]) {
      assert.equal((await send(origin + path)).status, 404, path);
    }
    assert.equal((await send(`${origin}/x`, { method: 'POST' })).status, 404);
  });

  test('presigned uploads at the host that the client used, for exactly what was signed', async () => {
    const ask = async (videoId: string, headers: Record<string, string> = {}) =>
      JSON.parse(
        (await send(`${origin}/upload/${videoId}`, { method: 'POST', headers })).body.toString(),
      );
    const { url, headers } = await ask('show');
    assert.ok(url.startsWith(`${origin}/presigned/source/show/granted/1.bin?`), url);
    const named = await ask('show', { host: 'studio.local:9', 'x-forwarded-proto': 'https' });
    assert.ok(named.url.startsWith('https://studio.local:9/presigned/'), named.url);

    const put = async (to: string, body: Buffer, more: Record<string, string> = headers) => {
      const { status, body: answer } = await send(to, { method: 'PUT', headers: more, body });
      return [status, JSON.parse(answer.toString()).code];
    };
    const changed = Buffer.from(bytes);
    changed[5] = 255 - (changed[5] ?? 0);
    assert.deepEqual(await put(url, changed), [400, 'digest_mismatch']);
    assert.deepEqual(await put(url, bytes.subarray(1)), [400, 'size_mismatch']);
    assert.deepEqual(await put(url, bytes, { 'content-type': 'video/mp4' }), [403, 'forbidden']);
    assert.deepEqual(await put(url.replace('size=3000000', 'size=2999999'), bytes), [
      403,
      'forbidden',
    ]);
    assert.deepEqual(await put(url.replace('/show/', '/other/'), bytes), [403, 'forbidden']);
    assert.deepEqual(await put(url.replace(/expires=\d/, 'expires=9'), bytes), [403, 'forbidden']);
    assert.deepEqual(await put(url.split('?')[0] ?? '', bytes), [403, 'forbidden']);
    for (const length of [bytes.length - 1, bytes.length + 1]) {
      const body = Buffer.concat([bytes, Buffer.of(1)]).subarray(0, length);
      const chunked = { ...headers, 'transfer-encoding': 'chunked' };
      assert.deepEqual(await put(url, body, chunked), [400, 'size_mismatch'], 'chunked');
    }
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    const { pathname, search } = new URL(url);
    socket.write(
      `PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\ncontent-type: ${headers['content-type']}\r\n` +
        `content-length: ${bytes.length}\r\n\r\n`,
    );
    await new Promise((resolve) => socket.write(bytes.subarray(0, 1_000_000), resolve));
    socket.destroy();
    await waitFor('the removal of half an upload', async () => (await readdir(tmp)).length === 0);
    assert.equal(await ports.media.head('source/show/granted/1.bin'), undefined);
    assert.deepEqual(await ports.queues.uploadCompleted.depth(), {
      ready: 0,
      inFlight: 0,
      delayed: 0,
    });

    assert.deepEqual(await put(url, bytes), [201, undefined]);
    assert.deepEqual(await put(url, bytes), [200, undefined], 'a repetition');
    const told = await ports.queues.uploadCompleted.receive({ max: 10, waitMs: 0, leaseMs: 1_000 });
    assert.deepEqual(
      [...new Set(told.map(({ body }) => body))],
      ['{"key":"source/show/granted/1.bin"}'],
    );
    assert.ok(bytes.equals((await ports.media.get('source/show/granted/1.bin')) ?? Buffer.of()));
  });
});
