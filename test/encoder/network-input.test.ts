import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ffmpeg, makeClip, startEncoder, temporaryFolder, until } from './encoder-process.ts';
import { startFakeApi } from './fake-api.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

test('encoder: a network source that ends is reopened, as a new session, until the encoder is interrupted', async (t) => {
  const [api, folder, port] = await Promise.all([startFakeApi(), temporaryFolder(t), freePort()]);
  t.after(() => api.close());
  const clip = join(folder, 'clip.ts');
  await makeClip(clip, 3, 1);
  const input = `tcp://127.0.0.1:${port}?listen=1`;
  const where = ['--to', api.url, '--stream', 'v', '--key', 'secret', '--spool', join(folder, 's')];
  const encoder = startEncoder(t, [
    input,
    ...where,
    '--copy',
    '--segment-seconds',
    '1',
    '--session',
    'run',
  ]);

  const push = async (): Promise<boolean> => {
    const address = `tcp://127.0.0.1:${port}`;
    return ffmpeg('-i', clip, '-c', 'copy', '-f', 'mpegts', address).then(
      () => true,
      // Not listening yet.
      () => false,
    );
  };
  await until(push);
  await until(() => api.segments.length === 3);
  await until(push);
  await until(() => api.segments.length === 6);
  encoder.child.kill('SIGINT');
  assert.equal((await encoder.exit).code, 130, encoder.output());
  const got = api.segments.map(({ session, number, durationSeconds }) => [
    session,
    number,
    durationSeconds,
  ]);
  assert.deepEqual(
    got.toSorted(),
    ['run', 'run.2'].flatMap((session) => [0, 1, 2].map((number) => [session, number, 1])),
  );
  assert.deepEqual(api.ends, ['v']);
});
