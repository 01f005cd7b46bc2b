import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';
import { Gateway, type LambdaRoute } from '../../lib/embedded/gateway.ts';
import type { GatewayLimits } from '../../lib/embedded/gateway-limits.ts';
import { mediaFiles, webPages } from '../../lib/embedded/static-files.ts';
import { waitFor } from '../support/system.ts';
import { send } from './http-client.ts';
import { refusalOfWrongKeys } from './key-right.ts';
import { temporaryFolder } from './temporary-folder.ts';

const RIGHT = { authorization: 'Bearer right' };

/** One route that takes bodies from those with the key `right`; `bodies` are those that it was given. */
async function keyedGateway(t: TestContext, limits: Partial<GatewayLimits> = {}) {
  const bodies: number[] = [];
  const reported: unknown[] = [];
  const route: LambdaRoute = {
    method: 'POST',
    path: '/upload/{videoId}',
    handler: ({ body = '' }) => {
      bodies.push(Buffer.from(body, 'base64').length);
      return { statusCode: 201, body: '{}' };
    },
    refusal: refusalOfWrongKeys,
  };
  const gateway = new Gateway({ routes: [route], report: (error) => reported.push(error), limits });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(() => gateway.close(0));
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    t.after(() => socket.destroy());
    return socket;
  };
  /** A POST whose body does not come yet. */
  const begin = async (head: string): Promise<Socket> => {
    const socket = await open();
    socket.write(`POST /upload/x HTTP/1.1\r\nhost: x\r\n${head}\r\n`);
    return socket;
  };
  return { url: `http://127.0.0.1:${port}/upload/x`, open, begin, bodies, reported };
}

const statusOf = async (socket: Socket): Promise<string> =>
  String((await once(socket, 'data'))[0]).slice(9, 12);

const KEY = 'authorization: Bearer right\r\n';

describe('the limits of the gateway', () => {
  test('a key that is missing or wrong is refused from the headers alone', async (t) => {
    const { begin, bodies } = await keyedGateway(t);
    for (const length of ['content-length: 5000000', 'transfer-encoding: chunked']) {
      assert.equal(await statusOf(await begin(`${length}\r\n`)), '401', length);
      const wrong = await begin(`authorization: Bearer wrong\r\n${length}\r\n`);
      assert.equal(await statusOf(wrong), '403', length);
    }
    assert.equal(await statusOf(await begin('content-length: 99999999\r\n')), '401');
    assert.deepEqual(bodies, []);
  });

  test('bodies in memory are bounded in sum, and those that have begun go on', async (t) => {
    const { begin, url, bodies } = await keyedGateway(t, { allBodiesBytes: 200_000 });
    const first = await begin(`${KEY}content-length: 100000\r\n`);
    const second = await begin(`${KEY}transfer-encoding: chunked\r\n`);
    const refused = await waitFor('the refusal of a third body', async () => {
      const answer = await send(url, {
        method: 'POST',
        headers: RIGHT,
        body: Buffer.alloc(50_000),
      });
      return answer.status === 503 ? answer : undefined;
    });
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(JSON.parse(refused.body.toString()).code, 'unavailable');
    bodies.length = 0;
    const chunk = Buffer.concat([
      Buffer.from('30d40\r\n'),
      Buffer.alloc(200_000),
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    second.write(chunk);
    assert.equal(await statusOf(second), '201', 'one that grows beyond the sum');
    first.write(Buffer.alloc(100_000));
    assert.equal(await statusOf(first), '201');
    const { status } = await send(url, {
      method: 'POST',
      headers: RIGHT,
      body: Buffer.alloc(150_000),
    });
    assert.equal(status, 201, 'their memory is free again');
    assert.deepEqual(bodies, [200_000, 100_000, 150_000]);
  });

  test('a client that leaves gives its share of the memory back', async (t) => {
    const { begin, url, reported } = await keyedGateway(t, { allBodiesBytes: 200_000 });
    const held = await begin(`${KEY}content-length: 200000\r\n`);
    const upload = () => send(url, { method: 'POST', headers: RIGHT, body: Buffer.alloc(1000) });
    await waitFor('a refusal', async () => (await upload()).status === 503);
    held.resetAndDestroy();
    await waitFor('room', async () => (await upload()).status === 201);
    assert.deepEqual(reported, []);
  });

  test('a body that comes too slowly is refused', async (t) => {
    const { begin, bodies } = await keyedGateway(t, { rateGraceMs: 40, minBytesPerSecond: 1e9 });
    const slow = await begin(`${KEY}content-length: 1000\r\n`);
    slow.write('a few');
    assert.equal(await statusOf(slow), '408');
    assert.deepEqual(bodies, []);
  });

  test('a refused client that goes on sending is cut: after a time, after so many bytes, or at once', async (t) => {
    const cases: readonly (readonly [string, Partial<GatewayLimits>])[] = [
      ['time', { drainMs: 50 }],
      ['bytes', { drainBytes: 100_000 }],
      ['number', { drains: 0 }],
    ];
    for (const [name, limits] of cases) {
      const { begin } = await keyedGateway(t, limits);
      const socket = await begin('content-length: 5000000\r\n');
      let answer = '';
      socket.setEncoding('latin1').on('data', (text: string) => {
        answer += text;
      });
      const closed = once(socket, 'close');
      socket.write(Buffer.alloc(200_000));
      await closed;
      assert.match(answer, /^HTTP\/1\.1 401 /, name);
    }
  });

  test('a refused client that announced more than it sends does not wait for the end of the answer', async (t) => {
    const { begin } = await keyedGateway(t, { drainMs: 3_600_000, drainIdleMs: 50 });
    const socket = await begin('content-length: 9007199254740991\r\n');
    socket.write(Buffer.alloc(1000));
    await once(socket.resume(), 'close');
  });

  test('headers that do not end are cut, as is a connection that says nothing', async (t) => {
    const { open } = await keyedGateway(t, { headersMs: 100 });
    const begun = await open();
    begun.write('GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ');
    const silent = await open();
    await Promise.all([begun, silent].map((socket) => once(socket.resume(), 'close')));
  });

  test('headers are bounded in size', async (t) => {
    const { begin } = await keyedGateway(t);
    assert.equal(await statusOf(await begin(`x: ${'a'.repeat(20_000)}\r\n`)), '431');
  });

  test('connections are bounded, and not kept alive when there are many', async (t) => {
    const { open, url } = await keyedGateway(t, { connections: 3, crowdedConnections: 1 });
    assert.equal(
      (await send(url)).headers.connection,
      'close',
      'a client of node without an agent',
    );
    const kept = await open();
    const other = await open();
    kept.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    assert.match(String((await once(kept, 'data'))[0]), /\r\nconnection: close\r\n/i);
    await once(kept, 'close');
    assert.equal(other.destroyed, false);
    await Promise.all([open(), open()]);
    const tooMany = await open();
    await once(tooMany.resume(), 'close');
  });

  test('a host that is given twice or is none is refused, and answers are not to be guessed at', async (t) => {
    const { begin, url } = await keyedGateway(t);
    for (const head of [
      'host: y\r\n',
      'x-forwarded-host: evil.example/x?\r\n',
      'x-forwarded-host: a"b\r\n',
    ]) {
      assert.equal(await statusOf(await begin(head)), '400', head);
    }
    for (const host of ['a"b', 'evil.example/x?', 'a b', 'x@y', '[::1', 'x:port']) {
      const { status } = await send(url, { method: 'POST', headers: { ...RIGHT, host } });
      assert.equal(status, 400, host);
    }
    for (const host of ['x', 'studio.local:9', '[::1]:8080', '127.0.0.1', 'my_host']) {
      const answer = await send(url, { method: 'POST', headers: { ...RIGHT, host } });
      assert.equal(answer.status, 201, host);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
  });

  test('wrong keys are answered 429 in the end, and a right one from the same address 201', async (t) => {
    const { url, reported } = await keyedGateway(t);
    const upload = (key: string) =>
      send(url, { method: 'POST', headers: { authorization: `Bearer ${key}` } });
    assert.equal((await upload('right')).status, 201);
    const statuses: number[] = [];
    for (let guess = 0; guess < 11; guess += 1) statuses.push((await upload(`w${guess}`)).status);
    assert.deepEqual(statuses, [...Array(10).fill(403), 429]);
    assert.equal((await upload('right')).status, 201);
    const last = await upload('one more');
    assert.equal(last.status, 429);
    assert.ok(Number(last.headers['retry-after']) > 10);
    assert.deepEqual(reported, []);
  });
});

const OPEN_FILES = '/proc/self/fd';
const skip = process.platform === 'linux' ? false : 'open files are listed on Linux alone';

test('requests that are cut leave no file open and no line in the log', { skip }, async (t) => {
  const folder = await temporaryFolder();
  const data = openDataFolder(join(folder.path, 'data'));
  const ports = embeddedPorts(data);
  const reported: unknown[] = [];
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const gateway = new Gateway({
    routes: [],
    mounts: [mediaFiles(ports.media), webPages(data.objects, "default-src 'self'")],
    report: (error) => reported.push(error),
  });
  const { port } = await gateway.listen(0, '127.0.0.1');
  t.after(async () => {
    process.off('warning', onWarning);
    await gateway.close(0);
    ports.close();
    await folder.remove();
  });
  await ports.media.put('media/x/1.m4s', randomBytes(4_000_000), 'video/iso.segment');
  const isOpen = async (): Promise<number> => (await readdir(OPEN_FILES)).length;
  const before = await isOpen();
  const request = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;
  for (let index = 0; index < 150; index += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(request(index % 2 ? '/media/x/1.m4s' : '/media/x/1.m4s?page'));
    // Before the answer, in its middle, and with requests that wait behind it.
    if (index % 3 === 1) await once(socket, 'data');
    if (index % 3 === 2) socket.write(request('/media/x/1.m4s').repeat(3));
    await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  await waitFor('all files to be closed', async () => (await isOpen()) <= before);
  assert.equal((await send(`http://127.0.0.1:${port}/media/x/1.m4s`)).body.length, 4_000_000);
  assert.deepEqual(reported, []);
  assert.deepEqual(warnings, []);
});
