import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MAX_BODY_BYTES } from '../../lib/api/routes.ts';
import {
  countFrames,
  ffmpeg,
  filesBelow,
  makeClip,
  startEncoder,
  temporaryFolder,
  until,
} from './encoder-process.ts';
import { type FakeApi, type StoredSegment, startFakeApi } from './fake-api.ts';

type Setting = Readonly<{ api: FakeApi; folder: string; spool: string; common: string[] }>;

async function setUp(t: TestContext): Promise<Setting> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const spool = join(folder, 'spool');
  return { api, folder, spool, common: ['--to', api.url, '--stream', 'v', '--spool', spool] };
}

const KEY = { RIVULET_KEY: 'secret' };

const numbers = (segments: readonly StoredSegment[]): number[] =>
  segments.map(({ number }) => number);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('encoder: a live stream goes on while the server is down, and everything is sent in order afterwards', async (t) => {
  const { api, spool, common } = await setUp(t);
  const options = [
    '--segment-seconds',
    '0.5',
    '--duration',
    '7',
    '--parallel',
    '1',
    '--title',
    'Tests',
  ];
  const encoder = startEncoder(t, ['testsrc', ...common, ...options], KEY);
  await until(() => api.segments.length >= 2);
  await api.goAway();
  const stored = api.segments.length;
  await until(
    async () => (await filesBelow(spool)).filter((f) => f.includes('waiting/')).length >= 5,
  );
  assert.equal(api.segments.length, stored);
  await api.comeBack();
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.match(encoder.output(), /does not answer: .*ECONNREFUSED/);
  assert.match(encoder.output(), /is back after \d/);
  assert.deepEqual(numbers(api.segments), range(0, 14));
  const began = api.segments.map(({ at = '' }) => Date.parse(at));
  for (const [index, ms] of began.slice(1).entries()) {
    // What waited has the time of its cut.
    assert.ok(ms - (began[index] ?? 0) <= 501, `${began}`);
  }
  assert.deepEqual(api.settings, [{ title: 'Tests' }]);
  assert.deepEqual(api.ends, ['v']);
  assert.deepEqual(await filesBelow(spool), []);
});

test('encoder: errors, lost answers and broken connections are retried until each segment is stored once', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 10, 1);
  const faults = [
    { type: 'status', status: 500 },
    { type: 'cut' },
    { type: 'destroy' },
    { type: 'status', status: 429 },
    { type: 'status', status: 503, code: 'unavailable' },
  ] as const;
  const seen = new Set<string>();
  api.fault.current = ({ query: { segment = 'end' } }) => {
    if (seen.has(segment)) return undefined;
    seen.add(segment);
    return faults[seen.size % faults.length];
  };
  const encoder = startEncoder(
    t,
    [file, ...common, '--segment-seconds', '1', '--parallel', '4'],
    KEY,
  );
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.deepEqual(
    numbers(api.segments).toSorted((a, b) => a - b),
    range(0, 10),
  );
  assert.ok(seen.has('end') && api.ends.length >= 1);
});

test('encoder: after a kill a live input sends what was left and opens a new session, and a file resumes its own', async (t) => {
  const { api, folder, spool, common } = await setUp(t);
  await api.goAway();
  const live = startEncoder(
    t,
    ['testsrc', ...common, '--segment-seconds', '0.5', '--size', '320x180'],
    KEY,
  );
  await until(
    async () => (await filesBelow(spool)).filter((f) => f.includes('waiting/')).length >= 4,
  );
  live.child.kill('SIGKILL');
  assert.equal((await live.exit).signal, 'SIGKILL');
  const left = (await filesBelow(spool)).filter((f) => f.includes('waiting/')).length;

  api.calls.length = 0;
  api.fault.current = () => ({ type: 'slow', ms: 50 });
  await api.comeBack();
  const again = ['testsrc', ...common, '--segment-seconds', '0.5', '--duration', '1'];
  const next = startEncoder(t, again, KEY);
  assert.equal((await next.exit).code, 0, next.output());
  const others = api.calls.slice(0, left).map((call) => call.others);
  assert.deepEqual(others.slice(0, 2), [0, 0], 'the first was sent alone');
  assert.equal(Math.max(...others), 1, 'two were in progress at once');
  const sessions = [...new Set(api.segments.map(({ session }) => session))];
  assert.equal(sessions.length, 2);
  const [first, second] = sessions.map((id) =>
    api.segments.filter(({ session }) => session === id),
  );
  assert.deepEqual(
    numbers(first ?? []).toSorted((a, b) => a - b),
    range(0, left),
  );
  assert.deepEqual(
    numbers(second ?? []).toSorted((a, b) => a - b),
    [0, 1],
  );
  assert.ok(
    api.segments.indexOf(second?.[0] as StoredSegment) >= left,
    'the older session went first',
  );
  assert.deepEqual(api.ends, ['v']);

  const file = join(folder, 'clip.mkv');
  await makeClip(file, 12, 1);
  api.segments.length = 0;
  // Answers that take time: the kill comes in the middle.
  api.fault.current = () => ({ type: 'slow', ms: 100 });
  const args = [file, ...common, '--segment-seconds', '1', '--encode'];
  const killed = startEncoder(t, args, KEY);
  await until(() => api.segments.length >= 4);
  killed.child.kill('SIGKILL');
  await killed.exit;
  // Nothing that it had begun comes after this.
  await api.goAway();
  await api.comeBack();
  assert.ok(api.segments.length < 12);
  const calls = api.calls.length;
  const resumed = startEncoder(t, args, KEY);
  assert.equal((await resumed.exit).code, 0, resumed.output());
  assert.equal(new Set(api.segments.map(({ session }) => session)).size, 1);
  assert.deepEqual(
    numbers(api.segments).toSorted((a, b) => a - b),
    range(0, 12),
  );
  const sent = api.calls.slice(calls).filter(({ path }) => path === '/upload/v').length;
  assert.ok(sent <= 10, `what was stored is not sent again, but for the first (${sent} sent)`);
  assert.deepEqual(api.ends, ['v', 'v']);
  assert.deepEqual(await filesBelow(spool), []);
});

test('encoder: missing segments that a receipt names are sent again from the spool', async (t) => {
  const { api, common } = await setUp(t);
  api.fault.current = ({ query }) => {
    // The server loses segment 2 after it gave the receipt.
    const index = api.segments.findIndex(({ number }) => number === 2);
    if (query.segment === '5' && index >= 0 && lost === undefined) {
      [lost] = api.segments.splice(index, 1);
    }
    return undefined;
  };
  let lost: StoredSegment | undefined;
  const options = ['--segment-seconds', '0.5', '--duration', '4', '--parallel', '1'];
  const encoder = startEncoder(t, ['testsrc', ...common, ...options, '--as-fast-as-possible'], KEY);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.deepEqual(
    numbers(api.segments).toSorted((a, b) => a - b),
    range(0, 8),
  );
  assert.deepEqual(api.segments.find(({ number }) => number === 2)?.bytes, lost?.bytes);
});

test('encoder: segments too large for a body are uploaded presigned, also where a gateway allows less than the API', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'large.ts');
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'nullsrc=size=640x360:rate=25:duration=4.4,geq=random(1)*255:128:128'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '10', '-g', '50', file],
  );
  let stalled = false;
  api.fault.current = ({ path, bodyBytes, query }) => {
    if (path.startsWith('/store/') && !stalled) {
      stalled = true;
      return { type: 'cut' };
    }
    const isLast = query.segment === '2' && bodyBytes > 0;
    return isLast ? { type: 'status', status: 413, code: 'too_large' } : undefined;
  };
  const encoder = startEncoder(t, [file, ...common, '--copy', '--segment-seconds', '2'], KEY);
  assert.equal((await encoder.exit).code, 0, encoder.output());
  assert.deepEqual(
    numbers(api.segments).toSorted((a, b) => a - b),
    [0, 1, 2],
  );
  assert.ok(
    api.segments.some(({ bytes }) => bytes.length > MAX_BODY_BYTES),
    'large enough for the test',
  );
  const small = api.segments.find(({ number }) => number === 2);
  assert.ok(small && small.bytes.length < MAX_BODY_BYTES, 'the gateway refused a small one');
  for (const { presigned, number } of api.segments)
    assert.equal(presigned, true, `segment ${number}`);
  assert.ok(
    api.calls.every(
      ({ path, bodyBytes }) => path.startsWith('/store/') || bodyBytes <= MAX_BODY_BYTES,
    ),
  );
});

test('encoder: a refused segment is set aside with the reason, and the stream goes on', async (t) => {
  const { api, folder, spool, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 6, 1);
  const refusals = new Map([
    ['1', { type: 'status', status: 422, code: 'undecodable' }],
    ['3', { type: 'status', status: 409, code: 'segment_conflict' }],
    ['4', { type: 'status', status: 415, code: 'unsupported_media' }],
  ] as const);
  api.fault.current = ({ query }) => refusals.get((query.segment ?? '') as '1' | '3' | '4');
  const encoder = startEncoder(t, [file, ...common, '--segment-seconds', '1'], KEY);
  assert.equal((await encoder.exit).code, 2, encoder.output());
  assert.deepEqual(numbers(api.segments).toSorted(), [0, 2, 5]);
  assert.deepEqual(api.ends, ['v']);
  assert.match(
    encoder.output(),
    /Segment 1 was refused \(422 undecodable\): .* Do as the hint says\./,
  );
  const calls = api.calls.filter(({ query }) => refusals.has((query.segment ?? '') as '1'));
  assert.equal(calls.length, 3, 'a refusal is final');
  const kept = (await filesBelow(spool)).filter((name) => name.includes('/rejected/'));
  assert.equal(kept.length, 6);
  const record = kept.find((name) => name.endsWith('0000000003.json')) ?? '';
  assert.partialDeepStrictEqual(JSON.parse(await readFile(join(spool, record), 'utf8')), {
    number: 3,
    durationSeconds: 1,
    status: 409,
    code: 'segment_conflict',
  });
  const segment = join(spool, record.replace('.json', '.ts'));
  assert.equal((await countFrames(segment)).frames, 25);
});

test('encoder: it gives up for a wrong key at once, and for an unreachable server after --retry-for', async (t) => {
  const { api, folder, spool, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 4, 1);
  const wrong = startEncoder(t, [file, ...common, '--key', 'wrong'], KEY);
  assert.equal((await wrong.exit).code, 2, wrong.output());
  assert.match(wrong.output(), /It is forbidden\. Do as the hint says\./);
  assert.match(
    wrong.output(),
    /1 segments \(4\.0 s\) wait in .*: run the encoder again to send them/,
  );
  assert.equal(api.calls.length, 1);
  assert.deepEqual(api.ends, []);

  const url = api.url.replace('//', '//x:secret@');
  const right = startEncoder(t, [file, '--to', url, '--stream', 'v', '--spool', spool]);
  assert.equal((await right.exit).code, 0, right.output());
  assert.equal(api.segments.length, 1);

  await api.goAway();
  const away = startEncoder(t, [file, ...common, '--retry-for', '0.5'], KEY);
  assert.equal((await away.exit).code, 2, away.output());
  assert.match(away.output(), /did not take anything for \d+ s: .*ECONNREFUSED/);
});

test('encoder: one interrupt finishes and sends the segment and ends the stream, two stop at once', async (t) => {
  const { api, folder, spool, common } = await setUp(t);
  const args = ['testsrc', ...common, '--segment-seconds', '1', '--size', '320x180'];
  const one = startEncoder(t, args, KEY);
  await until(() => api.segments.length >= 1);
  one.child.kill('SIGINT');
  assert.equal((await one.exit).code, 130, one.output());
  const count = api.segments.length;
  assert.ok(count >= 2, 'the segment that was being cut was sent');
  assert.ok((api.segments.at(-1)?.durationSeconds ?? 1) < 1, 'and it is a short one');
  assert.deepEqual(api.ends, ['v']);
  assert.deepEqual(await filesBelow(spool), []);

  await api.goAway();
  const two = startEncoder(t, ['testsrc', ...common, '--segment-seconds', '0.5'], KEY);
  await until(async () => (await filesBelow(spool)).some((name) => name.includes('waiting/')));
  const blocker = startEncoder(t, args, KEY);
  assert.equal((await blocker.exit).code, 1, blocker.output());
  assert.match(blocker.output(), /Another encoder sends stream "v"/);
  two.child.kill('SIGINT');
  await until(() => two.output().includes('Interrupted'));
  two.child.kill('SIGINT');
  assert.equal((await two.exit).code, 130, two.output());
  assert.match(two.output(), /wait in .*: run the encoder again/);
  assert.ok((await filesBelow(join(folder, 'spool'))).some((name) => name.includes('waiting/')));
  assert.equal(api.ends.length, 1);
});
