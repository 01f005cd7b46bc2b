import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type EncoderProcess, startEncoder, temporaryFolder, until } from './encoder-process.ts';
import { type FakeApi, type StoredSegment, startFakeApi } from './fake-api.ts';
import { startRtspCamera } from './rtsp-camera.ts';

type Setting = Readonly<{
  api: FakeApi;
  folder: string;
  start(input: string, ...options: readonly string[]): EncoderProcess;
}>;

async function setUp(t: TestContext): Promise<Setting> {
  const [api, folder] = await Promise.all([startFakeApi(), temporaryFolder(t)]);
  t.after(() => api.close());
  const where = ['--to', api.url, '--stream', 'v', '--key', 'secret', '--spool', join(folder, 's')];
  return {
    api,
    folder,
    start: (input, ...options) => startEncoder(t, [input, ...where, ...options]),
  };
}

const sum = (segments: readonly StoredSegment[]): number =>
  segments.reduce((seconds, { durationSeconds }) => seconds + (durationSeconds ?? 0), 0);

const sessions = (segments: readonly StoredSegment[]): string[] => [
  ...new Set(segments.map(({ session }) => session)),
];

/** Codecs of a segment's tracks with packets. */
async function codecsOf({ bytes }: StoredSegment, folder: string): Promise<string[]> {
  const path = join(folder, 'look.ts');
  await writeFile(path, bytes);
  const args = [
    '-v',
    'error',
    '-show_entries',
    'stream=codec_name,width,channels',
    '-of',
    'csv=p=0',
  ];
  const { stdout } = await promisify(execFile)('ffprobe', [...args, path]);
  return [...new Set(stdout.trim().split(/\s+/))].sort();
}

/** Waits until the newest segment has these tracks: on a slow machine those of one of them may be late. */
const untilSent = (api: FakeApi, folder: string, tracks: string): Promise<void> =>
  until(async () => {
    const newest = api.segments.at(-1);
    return newest !== undefined && (await codecsOf(newest, folder)).join(' ') === tracks;
  }, 90_000);

const LINE_OF_WAITING = /^Waiting for rtsp:.*$/gm;

// Most of the time they wait for cameras.
describe('encoder: a camera over RTSP', { concurrency: 3 }, () => {
  test('is sent for --duration, to a picture, and the encoder ends', async (t) => {
    const { api, start } = await setUp(t);
    const camera = await startRtspCamera(t);
    const encoder = start(camera.url, '--duration', '5.4', '--segment-seconds', '1');
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.ok(Math.abs(sum(api.segments) - 5.4) < 1 / 15, `${sum(api.segments)} s were sent`);
    assert.equal(camera.plays(), 1);
    assert.deepEqual(api.ends, ['v']);
  });

  test('that comes back with another size and other codecs is sent on as a new session', async (t) => {
    const { api, start, folder } = await setUp(t);
    const camera = await startRtspCamera(t);
    const encoder = start(camera.url, '--segment-seconds', '1');
    await untilSent(api, folder, 'aac,1 h264,160');
    await camera.change({
      size: '320x180',
      video: ['mpeg4', '-g', '15'],
      audio: ['pcm_mulaw', '-ar', '16000'],
    });
    await untilSent(api, folder, 'aac,1 h264,320');
    assert.ok(sessions(api.segments).length > 1);
    encoder.child.kill('SIGINT');
    assert.equal((await encoder.exit).code, 130, encoder.output());
    assert.match(encoder.output(), /Waiting for rtsp:\S+camera: .+; trying again in 0\.\d s\./);
    assert.match(encoder.output(), /camera sends media, after \d+\.\d s\./);
    assert.deepEqual(api.ends, ['v']);
  });

  test('that falls silent while its connection stands is opened again, and ends with --duration', async (t) => {
    const { api, start } = await setUp(t);
    const camera = await startRtspCamera(t);
    const encoder = start(camera.url, '--segment-seconds', '1', '--duration', '20');
    await until(() => api.segments.length >= 2, 60_000);
    camera.fault.silent = new Set([0, 1]);
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.match(encoder.output(), /: no media for [\d.]+ s; trying again in/);
    assert.ok((encoder.output().match(LINE_OF_WAITING) ?? []).length <= 3, encoder.output());
    assert.deepEqual(api.ends, ['v']);
  });

  test('whose sound begins late is sent without it at first, and then with it', async (t) => {
    const { api, start, folder } = await setUp(t);
    const camera = await startRtspCamera(t, { audio: ['pcm_mulaw', '-ar', '16000'] });
    camera.fault.silent = new Set([1]);
    const encoder = start(camera.url, '--segment-seconds', '1');
    await untilSent(api, folder, 'h264,160');
    camera.fault.silent = new Set();
    await untilSent(api, folder, 'aac,1 h264,160');
    assert.ok(sessions(api.segments).length > 1);
    assert.match(encoder.output(), /another sound began/);
  });

  test('whose picture is away is sent as sound', async (t) => {
    const { api, start, folder } = await setUp(t);
    const camera = await startRtspCamera(t);
    camera.fault.silent = new Set([0]);
    const encoder = start(camera.url, '--segment-seconds', '1', '--duration', '4');
    assert.equal((await encoder.exit).code, 0, encoder.output());
    assert.deepEqual(await codecsOf(api.segments[0] as StoredSegment, folder), ['aac,1']);
  });

  test('whose clock is set back is opened again, and no segment is longer than it lasted', async (t) => {
    const { api, start } = await setUp(t);
    const camera = await startRtspCamera(t);
    const encoder = start(camera.url, '--segment-seconds', '1');
    await until(() => api.segments.length >= 2, 60_000);
    camera.fault.aheadSeconds = -100;
    await until(() => sessions(api.segments).length === 2, 60_000);
    assert.match(encoder.output(), /its clock jumped; trying again/);
    for (const { durationSeconds } of api.segments) assert.ok((durationSeconds ?? 0) <= 2);
  });

  test('whose clock is set forward is opened again, and no segment is longer than it lasted', async (t) => {
    const { api, start } = await setUp(t);
    const camera = await startRtspCamera(t);
    const encoder = start(camera.url, '--segment-seconds', '1');
    await until(() => api.segments.length >= 2, 60_000);
    camera.fault.aheadSeconds = 1000;
    await until(() => sessions(api.segments).length === 2, 60_000);
    assert.match(encoder.output(), /its clock jumped; trying again/);
    for (const { durationSeconds = 0 } of api.segments) assert.ok(durationSeconds <= 2);
    encoder.child.kill('SIGINT');
    assert.equal((await encoder.exit).code, 130, encoder.output());
  });

  test('that dies after a moment, again and again, backs off and sends no slivers', async (t) => {
    const { api, start } = await setUp(t);
    const camera = await startRtspCamera(t);
    camera.fault.packets = 14;
    const encoder = start(camera.url, '--segment-seconds', '1', '--duration', '14');
    assert.equal((await encoder.exit).code, 2, encoder.output());
    assert.deepEqual(api.segments, []);
    assert.ok(camera.plays() >= 2 && camera.plays() <= 8, `${camera.plays()} connections`);
    assert.match(encoder.output(), /no media came in 14 s/);
  });

  test('that refuses the key ends the encoder with its answer in one line, without the key', async (t) => {
    const { start } = await setUp(t);
    const camera = await startRtspCamera(t);
    camera.fault.status = '401 Unauthorized';
    const encoder = start(camera.url.replace('//', '//me:pass@'));
    assert.equal((await encoder.exit).code, 2, encoder.output());
    assert.match(encoder.output(), /^rtsp:\/\/127\S+camera: it refused: 401 Unauthorized$/m);
    assert.doesNotMatch(encoder.output(), /pass/);
  });
});
