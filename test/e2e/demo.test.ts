import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { StreamView } from '../../lib/api/messages.ts';
import { probe } from '../support/ffmpeg.ts';
import { startTestSystem, type TestSystem, temporaryFolder, waitFor } from '../support/system.ts';

type Process = Readonly<{ pid: number; parent: number; group: number; command: string }>;

async function processes(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,args=']);
  return Array.from(
    stdout.matchAll(/^ *(\d+) +(\d+) +(\d+) (.*)$/gm),
    ([, pid, parent, group, command = '']) => {
      return { pid: Number(pid), parent: Number(parent), group: Number(group), command };
    },
  );
}

/** The process group of the demo's encoder, once its ffmpeg runs. */
const groupOf = (system: TestSystem): Promise<number> =>
  waitFor('the ffmpeg of the demo', async () => {
    const all = await processes();
    const encoder = all.find(
      ({ parent, command }) => parent === system.process.pid && command.includes('encoder.ts'),
    );
    const ffmpeg = all.find(({ parent }) => encoder !== undefined && parent === encoder.pid);
    return ffmpeg && encoder?.group;
  });

const isGone = (group: number): Promise<boolean> =>
  waitFor('the end of the encoder and its ffmpeg', async () =>
    (await processes()).every((one) => one.group !== group),
  );

async function demoOf(system: TestSystem): Promise<StreamView | undefined> {
  const answer = await fetch(`${system.url}/viewstream/metadata/demo?format=json`);
  return answer.ok ? ((await answer.json()) as StreamView) : undefined;
}

/** Starts the system with its demo, on the same data each time. */
async function demoStarter(t: TestContext) {
  const folder = await temporaryFolder(t);
  // Its own key, and a spool for the demo's encoder apart from that of the machine's user.
  const env = { XDG_STATE_HOME: join(folder, 'state'), HOME: folder };
  return () => startTestSystem(t, { dataPath: join(folder, 'data'), args: [], env });
}

const WATCH_DEMO = /Watch +http:\/\/127\.0\.0\.1:\d+\/watch\/demo\n/;

describe('the demo', () => {
  test('is live while there is no other stream, and goes on when the system is stopped and started again', async (t) => {
    const start = await demoStarter(t);
    const system = await start();
    const view = await waitFor('the live demo', async () => {
      const stream = await demoOf(system);
      return stream?.state === 'live' ? stream : undefined;
    });
    assert.equal(view.title, 'Demo');
    assert.equal(Math.max(...view.renditions.map((one) => one.heightPx ?? 0)), 720);
    const streams = await probe(`${system.url}/viewstream/demo?timestamp=0`);
    assert.deepEqual(streams.map((stream) => stream.codec_name).sort(), ['aac', 'h264']);
    assert.match(system.output(), WATCH_DEMO);
    const listed = await system.fetch('/streams', { key: null });
    const { streams: shown } = (await listed.json()) as { streams: StreamView[] };
    assert.deepEqual(
      shown.map(({ videoId }) => videoId),
      ['demo'],
      'who opens the home page sees it',
    );
    const page = await fetch(`${system.url}/`);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    const group = await groupOf(system);
    const { code } = await system.kill('SIGINT');
    assert.equal(code, 0, system.output());
    await isGone(group);
    const again = await start();
    assert.match(again.output(), WATCH_DEMO);
    const { durationSeconds: cutAt, newestUploadAt } = (await demoOf(again)) ?? assert.fail();
    await waitFor('the demo to go on', async () => {
      const demo = await demoOf(again);
      const isLive = demo?.state === 'live' && demo.newestUploadAt !== newestUploadAt;
      return isLive && demo.durationSeconds > cutAt;
    });
  });

  test('ends with a system that is killed: its ffmpeg too, and its stream with the next start when there is another stream', async (t) => {
    const start = await demoStarter(t);
    const system = await start();
    await waitFor('the live demo', async () => (await demoOf(system))?.state === 'live');
    const group = await groupOf(system);
    assert.equal((await system.fetch('/streams/own', { method: 'PUT', body: '{}' })).status, 201);
    await system.kill('SIGKILL');
    await isGone(group);
    const last = await start();
    assert.doesNotMatch(last.output(), /watch\/demo/);
    await waitFor('the end of its stream', async () => (await demoOf(last))?.state === 'ended');
  });
});
