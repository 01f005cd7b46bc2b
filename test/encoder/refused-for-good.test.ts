import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesBelow, makeClip, startEncoder, temporaryFolder, until } from './encoder-process.ts';
import { type FakeApi, startFakeApi } from './fake-api.ts';

const KEY = { RIVULET_KEY: 'secret' };

type Setting = Readonly<{ api: FakeApi; folder: string; spool: string; common: string[] }>;

async function setUp(t: TestContext): Promise<Setting> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const spool = join(folder, 'spool');
  return { api, folder, spool, common: ['--to', api.url, '--stream', 'v', '--spool', spool] };
}

test('encoder: a session that another run followed goes on as a new session, with nothing lost', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 8, 1);
  let superseded = false;
  api.fault.current = ({ query }) => {
    if (query.segment !== '3' || superseded) return undefined;
    superseded = true;
    return { type: 'status', status: 409, code: 'run_superseded' };
  };
  const options = ['--segment-seconds', '1', '--session', 'tour', '--parallel', '1'];
  const encoder = startEncoder(t, [file, ...common, ...options], KEY);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.deepEqual(
    api.segments.map(({ session, number }) => `${session} ${number}`),
    [
      ...['tour 0', 'tour 1', 'tour 2'],
      ...['tour.r2 0', 'tour.r2 1', 'tour.r2 2', 'tour.r2 3', 'tour.r2 4'],
    ],
  );
  assert.match(encoder.output(), /it goes on as session tour\.r2/);
  assert.deepEqual(api.ends, ['v']);
});

test('encoder: it gives up, and says why, when another encoder supersedes each of its sessions', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 4, 1);
  api.fault.current = () => ({ type: 'status', status: 409, code: 'run_superseded' });
  const encoder = startEncoder(t, [file, ...common, '--segment-seconds', '1'], KEY);
  assert.equal((await encoder.exit).code, 2, encoder.output());
  assert.match(encoder.output(), /Another encoder sends this stream: .* Stop one of them\./);
  assert.equal(api.calls.length, 4);
});

test('encoder: segments that are all refused are told once, and after thirty it gives up', async (t) => {
  const { api, folder, spool, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 20, 0.5);
  api.fault.current = () => ({ type: 'status', status: 422, code: 'undecodable' });
  const encoder = startEncoder(t, [file, ...common, '--segment-seconds', '0.5'], KEY);
  assert.equal((await encoder.exit).code, 2, encoder.output());
  assert.equal(encoder.output().match(/was refused \(422 undecodable\)/g)?.length, 1);
  assert.match(encoder.output(), /30 in a row were refused, the last one as undecodable/);
  assert.match(encoder.output(), /29 more were refused \(undecodable\)/);
  assert.ok(api.calls.length < 40, `${api.calls.length} calls`);
  assert.ok((await filesBelow(spool)).some((name) => name.includes('/rejected/')));
});

test('encoder: a stream that does not exist any more ends the encoder with the message and the hint of the server', async (t) => {
  const { api, common } = await setUp(t);
  api.fault.current = ({ query }) =>
    query.segment === '1' ? { type: 'status', status: 404, code: 'stream_not_found' } : undefined;
  const encoder = startEncoder(t, ['testsrc', ...common, '--segment-seconds', '0.5'], KEY);
  assert.equal((await encoder.exit).code, 2, encoder.output());
  assert.match(encoder.output(), /^It is stream_not_found\. Do as the hint says\.$/m);
});

test('encoder: a live source drops the oldest of what waits when the spool is full, and says so once', async (t) => {
  const { api, spool, common } = await setUp(t);
  const options = ['--segment-seconds', '0.5', '--bitrate', '2M', '--spool-limit', '0.5M'];
  await api.goAway();
  const encoder = startEncoder(t, ['testsrc', ...common, ...options], KEY);
  await until(() => encoder.output().includes('The spool is full'), 60_000);
  const waiting = async (): Promise<string[]> =>
    (await filesBelow(spool)).filter((name) => name.includes('waiting/'));
  const newest = (await waiting()).at(-1) ?? '';
  await until(async () => (await waiting()).at(-1) !== newest, 60_000);
  await api.comeBack();
  await until(() => api.segments.length >= 3, 60_000);
  encoder.child.kill('SIGINT');
  assert.equal((await encoder.exit).code, 130, encoder.output());
  assert.match(encoder.output(), /the oldest segments are dropped, \d+ so far\./);
  assert.equal(encoder.output().match(/The spool is full/g)?.length, 1);
  const numbers = api.segments.map(({ number }) => number).toSorted((a, b) => a - b);
  const [first = 0, second = 0] = numbers;
  assert.ok(second > first, `${numbers}`);
});

test('encoder: pieces that copying makes very short are joined to the next one, and the last one is kept', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  // It is cut at the first keyframe past each two seconds: between 3.88 and 4.08 s is a piece of 0.2 s.
  const keyframes = ['-force_key_frames', '0,3.88,4.08,6'];
  await makeClip(file, 6.32, 60, ...keyframes);
  const encoder = startEncoder(t, [file, ...common, '--copy', '--segment-seconds', '2'], KEY);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  const got = api.segments.toSorted((a, b) => a.number - b.number);
  assert.deepEqual(
    got.map(({ number, durationSeconds }) => [number, durationSeconds]),
    [
      [0, 3.88],
      [1, 2.12],
      [2, 0.32],
    ],
  );
});
