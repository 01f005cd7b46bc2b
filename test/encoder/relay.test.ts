import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  countFrames,
  type EncoderProcess,
  ffmpeg,
  filesBelow,
  makeClip,
  startEncoder,
  temporaryFolder,
  until,
} from './encoder-process.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

const SECONDS = 8;

async function setUp(
  t: TestContext,
): Promise<
  Readonly<{ api: FakeApi; folder: string; clip: string; spool: string; args: string[] }>
> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const clip = join(folder, 'clip.mp4');
  const spool = join(folder, 'spool');
  await makeClip(clip, SECONDS, 1);
  return {
    api,
    folder,
    clip,
    spool,
    args: ['relay', '--to', api.url, '--key', 'secret', '--spool', spool],
  };
}

async function addressOf(relay: EncoderProcess): Promise<string> {
  await until(() => /Push to http\S+ /.test(relay.output()));
  return relay.output().match(/http:\/\/127\.0\.0\.1:\d+/)?.[0] ?? '';
}

const push = (clip: string, url: string, ...options: readonly string[]): Promise<void> =>
  ffmpeg(
    '-i',
    clip,
    '-c',
    'copy',
    '-f',
    'hls',
    '-hls_time',
    '1',
    '-method',
    'PUT',
    ...options,
    url,
  );

test('relay: what ffmpeg pushes, TS and fMP4, is forwarded complete and in order', async (t) => {
  const { api, folder, clip, spool, args } = await setUp(t);
  const relay = startEncoder(t, args);
  const base = await addressOf(relay);

  await push(clip, `${base}/ts/out.m3u8`, '-hls_list_size', '3', '-hls_flags', 'delete_segments');
  await until(() => api.pushed.some(({ bytes }) => bytes.includes('#EXT-X-ENDLIST')));
  const expected = Array.from({ length: SECONDS }, (_, n) => [`out${n}.ts`, 'out.m3u8']).flat();
  assert.deepEqual(
    api.pushed.map(({ name }) => name),
    expected,
  );
  assert.ok(
    api.calls.every(({ method, path }) => method === 'PUT' && path.startsWith('/upload/ts/')),
  );
  const joined = join(folder, 'joined.ts');
  const segments = api.pushed.filter(({ name }) => name.endsWith('.ts')).map(({ bytes }) => bytes);
  await writeFile(joined, Buffer.concat(segments));
  assert.deepEqual(await countFrames(joined), { frames: SECONDS * 25, errors: '' });

  api.pushed.length = 0;
  api.segments.length = 0;
  await push(clip, `${base}/cmaf/out.m3u8`, '-hls_segment_type', 'fmp4', '-hls_list_size', '0');
  await until(() => api.pushed.some(({ bytes }) => bytes.includes('#EXT-X-ENDLIST')));
  assert.equal(api.pushed[0]?.name, 'init.mp4');
  const fragments = api.pushed
    .filter(({ name }) => /\.(m4s|mp4)$/.test(name))
    .map(({ bytes }) => bytes);
  const movie = join(folder, 'joined.mp4');
  await writeFile(movie, Buffer.concat(fragments));
  assert.deepEqual(await countFrames(movie), { frames: SECONDS * 25, errors: '' });

  await until(async () => (await filesBelow(spool)).every((name) => name.endsWith('lock')));
  relay.child.kill('SIGINT');
  assert.equal((await relay.exit).code, 130, relay.output());
  assert.deepEqual(await filesBelow(spool), []);
});

test('relay: it answers at once while the server is down, and sends everything later, also after a kill', async (t) => {
  const { api, clip, spool, args } = await setUp(t);
  await api.goAway();
  const first = startEncoder(t, [...args, '--stream', 'v']);
  const base = await addressOf(first);
  await push(clip, `${base}/v/out.m3u8`);
  // ffmpeg does not wait for the answers: the last file may not be on the disk yet.
  const files = SECONDS * 2;
  await until(
    async () => (await filesBelow(spool)).filter((f) => /\/pushed\/\d/.test(f)).length === files,
  );
  first.child.kill('SIGKILL');
  await first.exit;

  await api.comeBack();
  const second = startEncoder(t, [...args, '--stream', 'v']);
  assert.match(await addressOf(second), /^http/);
  await until(() => api.pushed.length === files);
  const expected = Array.from({ length: SECONDS }, (_, n) => [`out${n}.ts`, 'out.m3u8']).flat();
  assert.deepEqual(
    api.pushed.map(({ name }) => name),
    expected,
  );
  assert.match(second.output(), /16 files of stream v were left/);
  second.child.kill('SIGTERM');
  assert.equal((await second.exit).code, 143, second.output());
});

test('relay: large segments are uploaded presigned, refused ones set aside, and wrong pushes refused', async (t) => {
  const { api, spool, args } = await setUp(t);
  const relay = startEncoder(t, args);
  const base = await addressOf(relay);
  const put = async (path: string, body: Uint8Array<ArrayBuffer>): Promise<number> =>
    (await fetch(base + path, { method: 'PUT', body })).status;

  api.fault.current = ({ path }) =>
    path.endsWith('/bad2.ts') ? { type: 'status', status: 422, code: 'undecodable' } : undefined;
  const large = new Uint8Array(5_000_000).fill(7);
  assert.equal(await put('/v/bad2.ts', new Uint8Array(10)), 201);
  assert.equal(await put('/v/large3.ts', large), 201);
  assert.equal(
    await put('/v/end.m3u8', new Uint8Array(Buffer.from('#EXTM3U\n#EXT-X-ENDLIST\n'))),
    201,
  );
  await until(() => api.pushed.length > 0);
  const [stored] = api.segments;
  assert.ok(stored?.presigned && stored.number === 3 && stored.bytes.equals(large));
  const asked = api.calls.find(({ query }) => query.size !== undefined);
  assert.deepEqual(
    { ...asked?.query, digest: '' },
    { segment: '3', name: 'large3.ts', digest: '', size: '5000000' },
  );
  assert.match(relay.output(), /v\/bad2\.ts was refused \(422 undecodable\)/);
  assert.equal((await filesBelow(spool)).filter((name) => name.includes('/rejected/')).length, 2);

  assert.equal((await fetch(`${base}/v/large3.ts`, { method: 'DELETE' })).status, 204);
  assert.equal((await fetch(`${base}/v/large3.ts`)).status, 405);
  assert.equal(await put('/v/720p/прямой%20эфир%201.ts', new Uint8Array([1])), 201);
  await until(() => api.pushed.some(({ name }) => name === '720p/прямой эфир 1.ts'));
  assert.equal(await put(`/v/${'я'.repeat(120)}.ts`, new Uint8Array(1)), 400);
  assert.equal(await put('/not%20an%20id/x1.ts', new Uint8Array(1)), 400);

  api.fault.current = () => ({ type: 'status', status: 403, code: 'forbidden' });
  assert.equal(await put('/v/last4.ts', new Uint8Array(10)), 201);
  assert.equal((await relay.exit).code, 2, relay.output());
  assert.match(relay.output(), /1 files wait in/);
});
