import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspectSegment } from '../../lib/media/inspect.ts';
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

const SECONDS = 13;
const FRAMES = SECONDS * 25;

async function setUp(
  t: TestContext,
): Promise<Readonly<{ api: FakeApi; folder: string; common: string[] }>> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const common = [
    '--to',
    api.url,
    '--stream',
    'v',
    '--key',
    'secret',
    '--spool',
    join(folder, 'spool'),
  ];
  return { api, folder, common };
}

const byNumber = (segments: readonly StoredSegment[]): StoredSegment[] =>
  segments.toSorted((a, b) => a.number - b.number);

async function joinSegments(folder: string, segments: readonly StoredSegment[]): Promise<string> {
  const path = join(folder, 'joined.ts');
  await writeFile(path, Buffer.concat(byNumber(segments).map(({ bytes }) => bytes)));
  return path;
}

test('encoder: the sound alone is sent as a language, beside the encoder of the stream, and only the language is ended', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, 3, 1);
  api.startedAt.current = '2026-01-01T20:15:00.250Z';
  const language = ['--audio-only', '--lang', 'fre', '--description'];
  const dub = startEncoder(t, [file, ...common, ...language, '--segment-seconds', '1']);
  const stream = startEncoder(t, [file, ...common]);
  for (const { exit, output } of [dub, stream]) {
    assert.deepEqual(await exit, { code: 0, signal: null }, output());
  }
  const sound = api.calls.filter(({ query }) => query.lang !== undefined);
  const said = sound.map(({ query: { kind, lang, description } }) => [kind, lang, description]);
  assert.deepEqual(said, Array(said.length).fill(['audio', 'fr', 'true']));
  assert.deepEqual([sound[0]?.path, sound.at(-1)?.path], ['/upload/v', '/upload/v/end']);
  const dubbed = byNumber(api.segments).filter(
    ({ session }) => session === sound[0]?.query.session,
  );
  const [first] = dubbed;
  // A dub of a recording lies where the recording does, each segment behind the one before.
  let beginMs = Date.parse(api.startedAt.current);
  for (const { at, durationSeconds = 0 } of dubbed) {
    assert.ok(Math.abs(Date.parse(at ?? '') - beginMs) <= 1, `${at} for ${beginMs}`);
    beginMs += 1000 * durationSeconds;
  }
  const alone = api.segments.filter(({ session }) => session !== first?.session);
  assert.ok(alone.every(({ at }) => at === undefined));
  const { facts } = await inspectSegment(first?.bytes ?? assert.fail());
  assert.deepEqual([facts.video, facts.audio.length], [undefined, 1]);
});

test('encoder: a file is cut at its keyframes without loss, its first segment sent alone, the others in parallel, and ended', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mp4');
  await makeClip(file, SECONDS, 1);
  const three = Promise.withResolvers<void>();
  // Slow answers: an upload that may overlap the first does, and the others do until there are three.
  api.fault.current = ({ path, query, others }) => {
    if (others === 2) three.resolve();
    const isOther = path === '/upload/v' && query.segment !== '0';
    return isOther ? { type: 'held', until: three.promise } : { type: 'slow', ms: 150 };
  };
  const encoder = startEncoder(t, [file, ...common, '--segment-seconds', '1', '--parallel', '3']);
  assert.deepEqual(await encoder.exit, { code: 0, signal: null }, encoder.output());
  assert.match(encoder.output(), /copied/);

  assert.deepEqual(
    byNumber(api.segments).map(({ number }) => number),
    [...Array(SECONDS).keys()],
  );
  for (const { durationSeconds } of api.segments) assert.equal(durationSeconds, 1);
  const uploads = api.calls.filter(({ path }) => path === '/upload/v');
  assert.equal(uploads[0]?.query.segment, '0');
  assert.deepEqual(
    uploads.slice(0, 2).map(({ others }) => others),
    [0, 0],
    'the first was alone',
  );
  assert.equal(
    Math.max(...uploads.map(({ others }) => others)),
    2,
    'three were in progress at once',
  );
  assert.deepEqual(await countFrames(await joinSegments(folder, api.segments)), {
    frames: FRAMES,
    errors: '',
  });
  for (const { number, bytes } of api.segments) {
    const path = join(folder, `${number}.ts`);
    await writeFile(path, bytes);
    assert.deepEqual(await countFrames(path), { frames: 25, errors: '' }, 'each decodes alone');
  }

  const [session] = new Set(api.segments.map((segment) => segment.session));
  assert.match(session ?? '', /^file-[0-9a-f]{24}$/);
  assert.deepEqual(api.ends, ['v']);
  assert.deepEqual(await filesBelow(join(folder, 'spool')), []);
});

test('encoder: a second run of a file sends only what the server does not have', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.ts');
  await makeClip(file, SECONDS, 2);
  const args = [file, ...common, '--encode', '--segment-seconds', '2', '--size', '160x90'];
  const first = startEncoder(t, args);
  assert.equal((await first.exit).code, 0, first.output());
  const before = byNumber(api.segments);
  assert.equal(before.length, 7);

  const lost = new Set([3, 5]);
  api.segments.splice(0, Infinity, ...before.filter(({ number }) => !lost.has(number)));
  api.calls.length = 0;
  const second = startEncoder(t, args);
  assert.equal((await second.exit).code, 0, second.output());
  const sent = api.calls
    .filter(({ path }) => path === '/upload/v')
    .map(({ query }) => query.segment);
  assert.deepEqual(sent.toSorted(), ['0', '3', '5'], 'the first asks what is missing');
  assert.deepEqual(byNumber(api.segments), before, 'the same cut, byte for byte');
});

test('encoder: a source with open GOPs, another codec or distant keyframes is re-encoded', async (t) => {
  const { api, folder, common } = await setUp(t);
  const sources = {
    'open.mkv': ['-preset', 'veryfast', '-flags', '-cgop', '-bf', '2'],
    'far.mp4': ['-g', '400'],
    'old.mkv': ['-c:v', 'mpeg4', '-g', '12', '-c:a', 'libmp3lame'],
  };
  for (const [name, options] of Object.entries(sources)) {
    const file = join(folder, name);
    await makeClip(file, SECONDS, 1, ...options);
    api.segments.length = 0;
    const encoder = startEncoder(t, [file, ...common]);
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.match(encoder.output(), /encoded/, name);
    assert.deepEqual(
      byNumber(api.segments).map((s) => s.durationSeconds),
      [4, 4, 4, 1],
      name,
    );
    const { frames, errors } = await countFrames(await joinSegments(folder, api.segments));
    assert.deepEqual({ frames, errors }, { frames: FRAMES, errors: '' }, name);
  }
});

test('encoder: standard input is read to its end, whatever its container', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'clip.mkv');
  await makeClip(file, SECONDS, 1);
  await ffmpeg('-i', file, '-c', 'copy', join(folder, 'clip.ts'));
  for (const [name, how] of [
    ['clip.mkv', 'copied'],
    ['clip.ts', 'copied'],
  ] as const) {
    api.segments.length = 0;
    const encoder = startEncoder(t, ['-', ...common]);
    const { stdin } = encoder.child;
    assert.ok(stdin);
    createReadStream(join(folder, name), { highWaterMark: 10_000 }).pipe(stdin);
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.match(encoder.output(), new RegExp(how));
    assert.deepEqual(
      byNumber(api.segments).map((s) => s.durationSeconds),
      [2, 2, 2, 2, 2, 2, 1],
      name,
    );
    const { frames } = await countFrames(await joinSegments(folder, api.segments));
    assert.equal(frames, FRAMES, name);
  }
});

test('encoder: cutting a file waits while the spool is full', async (t) => {
  const { api, folder, common } = await setUp(t);
  const file = join(folder, 'long.ts');
  await makeClip(file, 75, 0.5);
  await api.goAway();
  const encoder = startEncoder(t, [file, ...common, '--segment-seconds', '0.5', '--parallel', '8']);
  const waiting = async (): Promise<number> =>
    (await filesBelow(join(folder, 'spool'))).filter((path) => path.includes('waiting/')).length;
  await until(async () => (await waiting()) >= 64);
  await until(() => encoder.output().includes('does not answer'));
  assert.ok((await waiting()) <= 66, `${await waiting()} of 150 segments wait`);
  await api.comeBack();
  assert.equal((await encoder.exit).code, 0, encoder.output());
  const numbers = byNumber(api.segments).map(({ number }) => number);
  assert.deepEqual(numbers, [...Array(150).keys()]);
});
