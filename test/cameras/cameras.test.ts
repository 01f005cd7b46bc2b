import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { makeClip, startEncoder, temporaryFolder, until } from '../encoder/encoder-process.ts';
import { startFakeApi } from '../encoder/fake-api.ts';

const BIN = new URL('../../bin/cameras.ts', import.meta.url).pathname;

test('cameras: each is sent as a stream, one that is away does not hold up the others, and Ctrl-C ends all', async (t) => {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const [door, yard] = [join(folder, 'door.mp4'), join(folder, 'yard.mp4')];
  await makeClip(door, 4, 1);
  const list = join(folder, 'cameras.json');
  const cameras = [
    { name: 'Door', address: door, audio: false, segmentSeconds: 1 },
    { name: 'Back yard', address: yard, segmentSeconds: 1 },
  ];
  await writeFile(list, JSON.stringify(cameras));
  const args = [list, '--to', api.url, '--spool', join(folder, 'spool')];
  const { child, exit, output } = startEncoder(t, args, { RIVULET_KEY: 'secret' }, BIN);

  await until(() => api.segments.length >= 2);
  await until(() => /^Back yard: .*there is no such file.*; starting again in/m.test(output()));
  assert.match(output(), /^Watch them all: http:\S+\/wall\?streams=door,back-yard$/m);
  assert.match(output(), /^Door: sent \d+, waiting /m);
  const sent = join(folder, 'sent.ts');
  await writeFile(sent, api.segments[0]?.bytes ?? '');
  const probe = ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'json', sent];
  const { stdout } = await promisify(execFile)('ffprobe', probe);
  assert.deepEqual(
    JSON.parse(stdout).streams.map(Object.values),
    [['h264']],
    'its sound is left out',
  );

  await makeClip(yard, 4, 1);
  await until(() => /^Back yard: sent /m.test(output()));
  child.kill('SIGINT');
  assert.deepEqual(await exit, { code: 130, signal: null }, output());
  assert.deepEqual(api.ends.toSorted(), ['back-yard', 'door']);
  const titles = api.settings.map((setting) => Reflect.get(setting as object, 'title'));
  assert.deepEqual([...new Set(titles)].toSorted(), ['Back yard', 'Door']);
});

test('cameras: a list that is wrong is refused before anything is started', async (t) => {
  const folder = await temporaryFolder(t);
  const list = join(folder, 'cameras.json');
  await writeFile(list, '[{ "name": "Door" }]');
  const { exit, output } = startEncoder(t, [list, '--key', 'k'], {}, BIN);
  assert.deepEqual(await exit, { code: 1, signal: null });
  assert.match(output(), /entry 1 \("Door"\): "address" is missing; expected: an address that/);
});
