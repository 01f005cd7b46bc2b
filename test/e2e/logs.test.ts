import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTestSystem } from '../support/system.ts';

test('no key and no signature of a presigned url stands in what the system prints', async (t) => {
  const system = await startTestSystem(t);
  const { hostname, port } = new URL(system.url);
  const basic = Buffer.from(`x:${system.ownerKey}`).toString('base64');
  const asked = await system.fetch(`/upload/logs?segment=0&size=9&digest=${'a'.repeat(64)}`, {
    method: 'POST',
  });
  const { upload } = (await asked.json()) as {
    upload: { url: string; headers: Record<string, string> };
  };
  const { signature } = Object.fromEntries(new URL(upload.url).searchParams);
  await fetch(upload.url, { method: 'PUT', headers: upload.headers, body: 'other 9 B' });
  await fetch(`${upload.url}0`, { method: 'PUT', headers: upload.headers, body: 'other 9 B' });
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST ${system.urlWithKey}/upload/logs?segment=0&key=${system.ownerKey} HTTP/1.1\r\nhost: x\r\n` +
      `authorization: Basic ${basic}\r\ncontent-length: 100\r\n\r\nhalf`,
  );
  socket.resetAndDestroy();
  await once(socket, 'close');
  await system.fetch('/upload/logs?segment=0', { method: 'POST', body: 'no media' });
  await system.fetch('/streams', { key: `${system.ownerKey}x` });
  await system.kill('SIGTERM');
  for (const secret of [system.ownerKey, basic, signature ?? assert.fail()]) {
    assert.ok(!system.output().includes(secret), system.output());
  }
});
