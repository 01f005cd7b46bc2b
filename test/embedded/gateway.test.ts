import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { Gateway, type LambdaRoute } from '../../lib/embedded/gateway.ts';
import { refusalOfWrongKeys } from './key-right.ts';

type Answer = Readonly<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>;
type Call = Readonly<{
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: Buffer | string;
  chunked?: boolean;
  agent?: Agent;
}>;

const MIB = 1024 * 1024;

describe('the gateway', () => {
  let gateway: Gateway;
  let port: number;
  let events: APIGatewayProxyEventV2[] = [];
  let reported: string[] = [];
  let respond: (event: APIGatewayProxyEventV2, context: Context) => unknown = () => ({});

  const route = (key: string, timeoutMs?: number): LambdaRoute => {
    const [method = '', path = ''] = key.split(' ');
    const handler: LambdaRoute['handler'] = (event, context) => {
      events.push(event);
      return respond(event, context);
    };
    return { method, path, handler, ...(timeoutMs !== undefined && { timeoutMs }) };
  };

  before(async () => {
    gateway = new Gateway({
      routes: [
        route('POST /upload/{videoId}'),
        route('PUT /upload/{videoId}/{name}'),
        route('POST /upload/{videoId}/{name}'),
        route('POST /upload/{videoId}/end'),
        route('GET /viewstream/{videoId}'),
        route('GET /viewstream/metadata/{videoId}'),
        route('GET /slow', 300),
        { ...route('POST /keyed/{videoId}'), refusal: refusalOfWrongKeys },
      ],
      report: (error, what) => reported.push(`${what}: ${error}`),
    });
    port = (await gateway.listen(0, '127.0.0.1')).port;
  });
  after(() => gateway.close(1_000));
  beforeEach(() => {
    events = [];
    reported = [];
    respond = () => ({ statusCode: 200, body: 'ok' });
  });

  function call({ method = 'GET', path = '/', headers = {}, body, chunked, agent }: Call) {
    return new Promise<Answer>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks) });
        });
      });
      request.on('error', reject);
      if (body !== undefined && !chunked)
        request.setHeader('content-length', Buffer.byteLength(body));
      if (chunked) request.flushHeaders();
      request.end(body);
    });
  }
  const json = (answer: Answer) => JSON.parse(answer.body.toString());
  const sentRaw = async (text: string | Buffer) => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };

  test('describes a request as an HTTP API event of format 2.0', async () => {
    await call({
      method: 'PUT',
      path: '/upload/my%20show/%C3%BC.ts?lang=de&x=1&x=a%26b&empty',
      headers: { 'Content-Type': 'text/plain', 'X-Two': ['1', '2'], Cookie: 'a=1; b=2' },
      body: 'grüß',
    });
    const [event] = events;
    assert.ok(event);
    const { requestContext, headers, ...rest } = event;
    assert.deepEqual(rest, {
      version: '2.0',
      routeKey: 'PUT /upload/{videoId}/{name}',
      rawPath: '/upload/my%20show/%C3%BC.ts',
      rawQueryString: 'lang=de&x=1&x=a%26b&empty',
      cookies: ['a=1', 'b=2'],
      queryStringParameters: { lang: 'de', x: '1,a&b', empty: '' },
      pathParameters: { videoId: 'my show', name: 'ü.ts' },
      body: 'grüß',
      isBase64Encoded: false,
    });
    assert.equal(headers['x-two'], '1,2');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['x-forwarded-port'], String(port));
    assert.equal(requestContext.http.method, 'PUT');
    assert.equal(requestContext.http.sourceIp, '127.0.0.1');
    await call({ path: '/viewstream/x' });
    assert.deepEqual(
      [events[1]?.body, events[1]?.isBase64Encoded, events[1]?.queryStringParameters],
      [undefined, false, undefined],
    );
  });

  test('hands over text as it is and every other body as base64', async () => {
    const text = '{"a":"ä"}';
    const binary = randomBytes(70_000);
    const cases: readonly (readonly [Record<string, string>, Buffer, boolean])[] = [
      [{ 'content-type': 'application/json; charset=utf-8' }, Buffer.from(text), false],
      [{ 'content-type': 'text/vtt' }, Buffer.from(text), false],
      [{ 'content-type': 'application/dash+xml' }, Buffer.from(text), false],
      [{ 'content-type': 'application/javascript' }, Buffer.from(text), false],
      [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, Buffer.from(text), true],
      [{ 'content-type': 'video/mp2t' }, binary, true],
      [{ 'content-type': 'text/plain' }, Buffer.from([0xff, 0xfe]), true],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, Buffer.from('a=1'), true],
      [{}, Buffer.from(text), true],
    ];
    for (const chunked of [false, true]) {
      for (const [headers, body, base64] of cases) {
        events = [];
        await call({ method: 'POST', path: '/upload/x', headers, body, chunked });
        assert.equal(events[0]?.isBase64Encoded, base64, JSON.stringify(headers));
        assert.ok(body.equals(Buffer.from(events[0]?.body ?? '', base64 ? 'base64' : 'utf8')));
      }
    }
  });

  test('infers an answer from whatever a handler returns', async () => {
    const cases: readonly (readonly [unknown, number, string | undefined, string])[] = [
      [{ message: 'no status' }, 200, 'application/json', '{"message":"no status"}'],
      ['text', 200, 'application/json', 'text'],
      [{ statusCode: 201, body: 'plain' }, 201, 'text/plain;charset=UTF-8', 'plain'],
      [{ statusCode: '404', headers: { 'Content-Type': 'a/b' }, body: 'x' }, 404, 'a/b', 'x'],
      [
        { statusCode: 200, body: 'AAEC/w==', isBase64Encoded: true },
        200,
        'text/plain;charset=UTF-8',
        '\x00\x01\x02\xff',
      ],
      [{ statusCode: 204 }, 204, undefined, ''],
      [{ statusCode: 302, headers: { Location: '/media/x.ts' } }, 302, undefined, ''],
    ];
    for (const [result, status, type, body] of cases) {
      respond = () => result;
      const answer = await call({ path: '/viewstream/x' });
      assert.deepEqual([answer.status, answer.headers['content-type']], [status, type]);
      assert.equal(answer.body.toString('latin1'), body);
      assert.equal(answer.headers['access-control-allow-origin'], '*');
    }
    respond = () => ({
      statusCode: 200,
      cookies: ['a=1; Path=/', 'b=2'],
      headers: { 'Rivulet-Next': 7 },
    });
    const answer = await call({ path: '/viewstream/x' });
    assert.deepEqual(answer.headers['set-cookie'], ['a=1; Path=/', 'b=2']);
    assert.equal(answer.headers['rivulet-next'], '7');
    assert.match(answer.headers['access-control-expose-headers'] ?? '', /etag,rivulet-next$/);
  });

  test('serves HEAD by GET routes: same headers, no body', async () => {
    respond = () => ({ statusCode: 200, headers: { 'content-type': 'a/b' }, body: 'twelve bytes' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const head = await call({ method: 'HEAD', path: '/viewstream/x', agent });
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.body.length],
      [200, '12', 0],
    );
    assert.equal(events[0]?.requestContext.http.method, 'HEAD');
    const get = await call({ path: '/viewstream/x', agent });
    assert.equal(get.body.toString(), 'twelve bytes', 'the connection is fit for the next request');
    agent.destroy();
  });

  test('finds the most literal route, and says what is wrong with the others', async () => {
    const routed = async (method: string, path: string) => {
      events = [];
      const answer = await call({ method, path });
      return events[0]?.routeKey ?? [answer.status, json(answer).code, answer.headers.allow];
    };
    const notFound = [404, 'not_found', undefined];
    const notAllowed = (allow: string) => [405, 'method_not_allowed', allow];
    assert.equal(await routed('POST', '/upload/x/end'), 'POST /upload/{videoId}/end');
    assert.equal(await routed('PUT', '/upload/x/end'), 'PUT /upload/{videoId}/{name}');
    assert.equal(await routed('POST', '/upload/x/1.ts'), 'POST /upload/{videoId}/{name}');
    assert.equal(
      await routed('GET', '/viewstream/metadata/x'),
      'GET /viewstream/metadata/{videoId}',
    );
    assert.equal(await routed('GET', '/viewstream/metadata'), 'GET /viewstream/{videoId}');
    assert.deepEqual(await routed('GET', '/nothing'), notFound);
    assert.deepEqual(await routed('POST', '/upload/'), notFound);
    assert.deepEqual(await routed('POST', '/upload/x/y/z'), notFound);
    assert.deepEqual(await routed('GET', '/upload/x'), notAllowed('POST'));
    assert.deepEqual(await routed('DELETE', '/viewstream/x'), notAllowed('GET, HEAD'));
    assert.deepEqual(await routed('GET', '/viewstream/%E0%A4%A'), [400, 'bad_request', undefined]);
    assert.deepEqual(await routed('POST', '/upload/a%2Fb'), 'POST /upload/{videoId}');
    assert.equal(events[0]?.pathParameters?.videoId, 'a/b');
  });

  test('answers 413 where API Gateway or Lambda would not take the body', async () => {
    const headers = { 'content-type': 'video/mp2t' };
    const upload = (bytes: number, more: Partial<Call> = {}) =>
      call({ method: 'POST', path: '/upload/x', headers, body: Buffer.alloc(bytes, 1), ...more });
    assert.equal((await upload(4.4 * MIB)).status, 200);
    assert.equal((await upload(4.4 * MIB, { chunked: true })).status, 200);
    assert.equal(events.length, 2);
    for (const bytes of [4.8 * MIB, 11 * MIB, 40 * MIB]) {
      for (const chunked of [false, true]) {
        const answer = await upload(bytes, { chunked });
        assert.equal(answer.status, 413, `${bytes} bytes`);
        assert.equal(json(answer).code, 'too_large');
        assert.match(json(answer).hint, /size=/);
      }
    }
    const text = '"'.repeat(4 * MIB);
    const escaped = await upload(0, { headers: { 'content-type': 'text/plain' }, body: text });
    assert.equal(escaped.status, 413, 'it is the size as JSON that counts');
    assert.equal(events.length, 2, 'no handler was called');
  });

  test('lets a client that only reads after sending everything see the refusal', async () => {
    const socket = await sentRaw(
      'PUT /nothing HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    let received = '';
    const chunk = Buffer.concat([
      Buffer.from('100000\r\n'),
      Buffer.alloc(MIB, 7),
      Buffer.from('\r\n'),
    ]);
    for (let sent = 0; sent < 30; sent += 1) {
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
    });
    socket.write('0\r\n\r\n');
    await once(socket, 'end');
    assert.match(received, /^HTTP\/1\.1 404 .*"code":"not_found"/s);
  });

  test('asks for the body of `Expect: 100-continue` only if it wants it', async () => {
    const exchange = async (
      path: string,
      length: number,
      body: Buffer,
      key = 'authorization: x\r\n',
    ) => {
      const socket = await sentRaw(
        `POST ${path} HTTP/1.1\r\nhost: x\r\n${key}expect: 100-continue\r\nconnection: close\r\n` +
          `content-type: video/mp2t\r\ncontent-length: ${length}\r\n\r\n`,
      );
      const [first] = await once(socket.setEncoding('latin1'), 'data');
      const status = String(first).split('\r\n')[0];
      if (status === 'HTTP/1.1 100 Continue') {
        socket.write(body);
        const [second] = await once(socket, 'data');
        socket.destroy();
        return [status, String(second).split('\r\n')[0]];
      }
      socket.destroy();
      return [status];
    };
    const body = randomBytes(1000);
    assert.deepEqual(await exchange('/upload/x', 1000, body), [
      'HTTP/1.1 100 Continue',
      'HTTP/1.1 200 OK',
    ]);
    assert.ok(body.equals(Buffer.from(events[0]?.body ?? '', 'base64')));
    assert.deepEqual(await exchange('/upload/x', 11 * MIB, body), [
      'HTTP/1.1 413 Payload Too Large',
    ]);
    assert.deepEqual(await exchange('/nothing', 1000, body), ['HTTP/1.1 404 Not Found']);
    assert.equal(events.length, 1);

    assert.deepEqual(await exchange('/keyed/x', 1000, body, ''), ['HTTP/1.1 401 Unauthorized']);
    assert.equal(events.length, 1, 'a client is asked for its key before it sends');
  });

  test('calls no handler with a body whose connection was cut', async () => {
    const begin = 'POST /upload/cut HTTP/1.1\r\nhost: x\r\n';
    for (const rest of [
      'content-length: 1000\r\n\r\nonly this',
      'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'transfer-encoding: chunked\r\n\r\nff\r\nhello',
    ]) {
      for (const cut of ['end', 'destroy', 'resetAndDestroy'] as const) {
        const socket = await sentRaw(begin + rest);
        socket.on('error', () => {});
        socket.resume();
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket[cut]();
        await once(socket, 'close');
      }
    }
    await call({ path: '/viewstream/x' });
    assert.deepEqual(
      events.map(({ rawPath }) => rawPath),
      ['/viewstream/x'],
    );
    assert.deepEqual(reported, [], 'nor is it a fault of ours');
  });

  test('shows clients no detail of a fault, and answers 503 for a call that takes too long', async () => {
    respond = () => {
      throw new Error('secret detail');
    };
    const fault = await call({ path: '/viewstream/x' });
    assert.deepEqual([fault.status, json(fault).code], [500, 'internal']);
    assert.doesNotMatch(fault.body.toString(), /secret/);
    assert.match(reported[0] ?? '', /GET \/viewstream\/x: Error: secret detail/);
    for (const wrong of [
      { statusCode: 700 },
      { statusCode: 200, body: { not: 'text' } },
      { statusCode: 200, body: 'x'.repeat(7 * MIB) },
    ]) {
      respond = () => wrong;
      assert.equal((await call({ path: '/viewstream/x' })).status, 500);
    }
    let remainingMs = 0;
    respond = (_event, context) => {
      remainingMs = context.getRemainingTimeInMillis();
      return new Promise(() => {});
    };
    const slow = await call({ path: '/slow' });
    assert.deepEqual([slow.status, json(slow).code], [503, 'unavailable']);
    assert.ok(remainingMs > 200 && remainingMs <= 300, `${remainingMs} ms`);
  });

  test('answers preflights for any path', async () => {
    const answer = await call({
      method: 'OPTIONS',
      path: '/streams/x',
      headers: {
        origin: 'https://example.com',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,rivulet-session,x-other',
      },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.match(
      answer.headers['access-control-allow-methods'] ?? '',
      /GET,HEAD,POST,PUT,PATCH,DELETE/,
    );
    const allowed = (answer.headers['access-control-allow-headers'] ?? '').split(',');
    assert.deepEqual(allowed, ['authorization', 'content-type', 'range', 'rivulet-session']);
  });

  test('finishes requests in flight when it closes, up to a limit', async () => {
    const closing = new Gateway({ routes: [route('GET /a')], report: () => {} });
    const { port: closingPort } = await closing.listen(0, '127.0.0.1');
    let finish = () => {};
    const called = new Promise<void>((resolve) => {
      respond = () => {
        resolve();
        return new Promise((done) => {
          finish = () => done({ statusCode: 200, body: 'finished' });
        });
      };
    });
    const agent = new Agent({ keepAlive: true });
    const answered = new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: closingPort, path: '/a', agent };
      httpRequest(options, (response) => response.setEncoding('utf8').once('data', resolve))
        .on('error', reject)
        .end();
    });
    await called;
    const stuck = connect(closingPort, '127.0.0.1');
    await once(stuck, 'connect');
    stuck.write('GET /a HTTP/1.1\r\nhost: x\r\ncontent-le');
    const closed = closing.close(500);
    finish();
    assert.equal(await answered, 'finished');
    await Promise.all([closed, once(stuck.resume(), 'close')]);
    agent.destroy();
  });
});
